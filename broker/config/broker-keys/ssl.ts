/**
 * Broker keys of TLS. Each may also be set for one listener with the prefix `listener.name.NAME.`.
 */
import { boolean, defineTable, javaClass, list, part, password, string } from '../define.ts'
import { NO_JAVA_CLASSES, NO_JAVA_SECURITY, NO_KEYSTORE_RELOAD } from '../effects.ts'
import { listOf, oneOf } from '../validators.ts'

export const SSL_KEYS = defineTable({
  'ssl.allow.dn.changes': boolean('false', null, 'LOW', 'read-only', 'Whether a new keystore may carry another distinguished name than the old one.', NO_KEYSTORE_RELOAD),
  'ssl.allow.san.changes': boolean('false', null, 'LOW', 'read-only', 'Whether a new keystore may lack alternative names of the old one.', NO_KEYSTORE_RELOAD),
  'ssl.cipher.suites': list('', listOf(), 'MEDIUM', 'per-broker', 'Cipher suites a TLS listener offers; empty means all.'),
  'ssl.client.auth': string('none', oneOf('required', 'requested', 'none'), 'MEDIUM', 'per-broker', 'Whether TLS clients must (`required`), may (`requested`) or need not (`none`) show a certificate.'),
  'ssl.enabled.protocols': list('TLSv1.2,TLSv1.3', listOf(), 'MEDIUM', 'per-broker', 'TLS versions a listener accepts.'),
  'ssl.endpoint.identification.algorithm': string('https', null, 'LOW', 'per-broker', "How the name in a server's certificate is checked when the broker is a TLS client; empty switches the check off."),
  'ssl.engine.factory.class': javaClass(null, null, 'LOW', 'per-broker', 'Class that creates TLS engines.', NO_JAVA_CLASSES),
  'ssl.key.password': password(null, null, 'MEDIUM', 'per-broker', 'Password of the private key.'),
  'ssl.keymanager.algorithm': string('SunX509', null, 'MEDIUM', 'per-broker', "Java's key manager algorithm.", NO_JAVA_SECURITY),
  'ssl.keystore.certificate.chain': password(null, null, 'MEDIUM', 'per-broker', 'Certificate chain in PEM, given directly.'),
  'ssl.keystore.key': password(null, null, 'MEDIUM', 'per-broker', 'Private key in PEM, given directly.'),
  'ssl.keystore.location': string(null, null, 'MEDIUM', 'per-broker', "File with the broker's key and certificates.", part('JKS files cannot be read, only PKCS12 and PEM.')),
  'ssl.keystore.password': password(null, null, 'MEDIUM', 'per-broker', 'Password of the keystore; not for PEM.'),
  'ssl.keystore.type': string('JKS', null, 'MEDIUM', 'per-broker', 'Format of the keystore: `JKS`, `PKCS12` or `PEM`.', part('JKS files cannot be read, only PKCS12 and PEM.')),
  'ssl.principal.mapping.rules': string('DEFAULT', null, 'LOW', 'read-only', "Rules that turn the distinguished name of a client's certificate into a principal; the first that matches counts."),
  'ssl.protocol': string('TLSv1.3', null, 'MEDIUM', 'per-broker', 'TLS version preferred when the broker is a client.'),
  'ssl.provider': string(null, null, 'MEDIUM', 'per-broker', 'Java security provider of TLS connections.', NO_JAVA_SECURITY),
  'ssl.secure.random.implementation': string(null, null, 'LOW', 'per-broker', "Java's random generator for TLS.", NO_JAVA_SECURITY),
  'ssl.trustmanager.algorithm': string('PKIX', null, 'MEDIUM', 'per-broker', "Java's trust manager algorithm.", NO_JAVA_SECURITY),
  'ssl.truststore.certificates': password(null, null, 'MEDIUM', 'per-broker', 'Trusted certificates in PEM, given directly.'),
  'ssl.truststore.location': string(null, null, 'MEDIUM', 'per-broker', 'File with the trusted certificates.', part('JKS files cannot be read, only PKCS12 and PEM.')),
  'ssl.truststore.password': password(null, null, 'MEDIUM', 'per-broker', 'Password of the truststore; not for PEM.'),
  'ssl.truststore.type': string('JKS', null, 'MEDIUM', 'per-broker', 'Format of the truststore: `JKS`, `PKCS12` or `PEM`.', part('JKS files cannot be read, only PKCS12 and PEM.')),
})
