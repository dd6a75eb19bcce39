/**
 * Leaves the fixed prose of a finding alone: a string that stands, as it is, for what `why` or `fix` says. A test of it
 * could only repeat it. Everything else in them is mutated: the choice between two texts, and a text that has figures or
 * names put into it. `message` is the product and is mutated as a whole.
 */
import { declareValuePlugin, PluginKind } from '@stryker-mutator/api/plugin';

const prose = new Set(['why', 'fix']);

/** The plugin, by the name that stryker.config.mjs gives as an ignorer. */
export const strykerPlugins = [declareValuePlugin(PluginKind.Ignore, 'prose', { shouldIgnore })];

/** The reason why nothing of this node is mutated; undefined: it is mutated. */
function shouldIgnore(path) {
  const fixed = path.isStringLiteral() || (path.isTemplateLiteral() && path.node.expressions.length === 0);
  return fixed && isProse(path) ? 'the fixed prose of why and fix' : undefined;
}

/** Whether the value of the node is what the property says, maybe by a choice. */
function isProse({ node, parentPath: parent }) {
  if (parent?.isObjectProperty()) return parent.node.value === node && prose.has(parent.node.key.name);
  return parent?.isConditionalExpression() && parent.node.test !== node && isProse(parent);
}
