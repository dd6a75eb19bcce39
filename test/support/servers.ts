/** The fixtures of real servers, in one place: what a test imports. */
export { type Certificates, makeCertificates } from './certificates.ts';
export { portWithBus, startCluster, type TestCluster } from './cluster.ts';
export { startProxy, type TestProxy } from './proxy.ts';
export { startSentinel, type TestSentinel } from './sentinel.ts';
export { type ClientTls, matrix, type ServerOptions, startReplica, startServer, type TestServer } from './server.ts';
export { waitFor } from './wait.ts';
