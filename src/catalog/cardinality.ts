/** How large a value is, by the O(1) command of its type: what inspection, filters and exports ask. */

/** The command that counts a type's elements (a string's bytes), by Redis's name of the type. Types of modules have none. */
export const cardinalityCommands: ReadonlyMap<string, string> = new Map([
  ['string', 'STRLEN'],
  ['list', 'LLEN'],
  ['set', 'SCARD'],
  ['zset', 'ZCARD'],
  ['hash', 'HLEN'],
  ['stream', 'XLEN'],
]);
