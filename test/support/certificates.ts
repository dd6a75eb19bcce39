/**
 * Throwaway TLS material for the fixtures: a CA of its own, a server certificate for 127.0.0.1 and localhost, and a client
 * certificate. node:crypto signs but makes no certificates, so the few DER structures of X.509 (RFC 5280) are written
 * here; the openssl program is not needed, which a clean machine may not have.
 */
import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';

/** A certificate and its private key, both PEM. */
export interface Credential {
  readonly cert: Buffer;
  readonly key: Buffer;
}

/** What a TLS server and its clients need; everything is signed by `ca`. */
export interface Certificates {
  /** PEM. */
  readonly ca: Buffer;
  readonly server: Credential;
  readonly client: Credential;
}

interface Issuer {
  readonly name: string;
  readonly key: KeyObject;
}

/** Fresh EC P-256 material, valid from an hour ago for a day. */
export function makeCertificates(): Certificates {
  const ca = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const issuer: Issuer = { name: 'redops test CA', key: ca.privateKey };
  const issue = (name: string, extensions: Buffer[]): Credential => {
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const key = Buffer.from(privateKey.export({ type: 'pkcs8', format: 'pem' }));
    return { cert: certificate(name, publicKey, issuer, extensions), key };
  };
  return {
    ca: certificate(issuer.name, ca.publicKey, issuer, [basicConstraints(true)]),
    server: issue('localhost', [basicConstraints(false), subjectAltNames()]),
    client: issue('redops test client', [basicConstraints(false)]),
  };
}

function certificate(subject: string, publicKey: KeyObject, issuer: Issuer, extensions: readonly Buffer[]): Buffer {
  const ecdsaWithSha256 = sequence(oid('2a8648ce3d040302'));
  const serial = Buffer.concat([Buffer.from([1]), randomBytes(15)]);
  const body = sequence(
    tagged(0, integer(Buffer.from([2]))),
    integer(serial),
    ecdsaWithSha256,
    commonName(issuer.name),
    sequence(utcTime(Date.now() - 3_600_000), utcTime(Date.now() + 86_400_000)),
    commonName(subject),
    publicKey.export({ type: 'spki', format: 'der' }),
    tagged(3, sequence(...extensions)),
  );
  const der = sequence(body, ecdsaWithSha256, bitString(sign('sha256', body, issuer.key)));
  const base64 = der.toString('base64').replace(/.{1,64}/g, '$&\n');
  return Buffer.from(`-----BEGIN CERTIFICATE-----\n${base64}-----END CERTIFICATE-----\n`);
}

function basicConstraints(isCa: boolean): Buffer {
  const value = isCa ? sequence(element(0x01, Buffer.from([0xff]))) : sequence();
  return sequence(oid('551d13'), element(0x01, Buffer.from([0xff])), octets(value));
}

function subjectAltNames(): Buffer {
  const dns = element(0x82, Buffer.from('localhost'));
  const ip = element(0x87, Buffer.from([127, 0, 0, 1]));
  return sequence(oid('551d11'), octets(sequence(dns, ip)));
}

function commonName(name: string): Buffer {
  return sequence(element(0x31, sequence(oid('550403'), element(0x0c, Buffer.from(name)))));
}

function utcTime(ms: number): Buffer {
  const digits = new Date(ms).toISOString().replace(/[-:T]/g, '').slice(2, 14);
  return element(0x17, Buffer.from(`${digits}Z`));
}

const sequence = (...parts: readonly Buffer[]) => element(0x30, Buffer.concat(parts));
const integer = (bytes: Buffer) => element(0x02, bytes);
const bitString = (bytes: Buffer) => element(0x03, Buffer.concat([Buffer.from([0]), bytes]));
const octets = (bytes: Buffer) => element(0x04, bytes);
const oid = (hex: string) => element(0x06, Buffer.from(hex, 'hex'));
const tagged = (number: number, content: Buffer) => element(0xa0 + number, content);

/** One DER element: tag, length (short form below 128, else its bytes counted first), content. */
function element(tag: number, content: Buffer): Buffer {
  const { length } = content;
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}
