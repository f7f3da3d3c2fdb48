/**
 * `ssl.*` properties as the options of a TLS connection. Files are read once, when the handle is made, so that a wrong path, key or
 * pass phrase is an error of the constructor and not of a connection some time later.
 */

import type { FileSystem } from '../../common/runtime/files.ts'
import { tlsDefect } from '../../common/runtime/node/tls-context.ts'
import type { TlsOptions } from '../../common/runtime/transport.ts'
import type { Config } from '../config/config.ts'
import { invalid } from '../config/parse.ts'
import { KafkaError, kafkaException } from '../errors.ts'

/** Where systems keep the certificates they trust, for `ssl.ca.location=probe`; the first that exists is taken. */
const usualPlaces = [
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem',
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/ssl/ca-bundle.pem',
  '/etc/ssl/cert.pem',
  '/usr/local/etc/ssl/cert.pem',
  '/etc/ssl/certs',
]

/** Replaces the check of the broker's name; see `ClientHooks`. */
export type CheckServerIdentity = NonNullable<TlsOptions['checkIdentity']>

/**
 * undefined where `security.protocol` has no TLS. Throws KafkaException `_INVALID_ARG` for files that cannot be read, `_SSL` for
 * content that cannot be used.
 */
export function tlsOptionsOf(
  config: Config,
  files: FileSystem,
  checkIdentity: CheckServerIdentity | undefined,
): TlsOptions | undefined {
  if (!config.get('security.protocol').endsWith('ssl')) return undefined
  const read = (name: 'ssl.certificate.location' | 'ssl.key.location' | 'ssl.crl.location') => {
    const path = config.get(name)
    return path === undefined ? undefined : readFile(files, name, path).toString()
  }
  const ca = trusted(files, 'ssl.ca', config.get('ssl.ca.location'), config.get('ssl.ca.pem'))
  const certificate = config.get('ssl.certificate.pem') ?? read('ssl.certificate.location')
  const key = config.get('ssl.key.pem') ?? read('ssl.key.location')
  const keystorePath = config.get('ssl.keystore.location')
  const keystore =
    keystorePath === undefined ? undefined : readFile(files, 'ssl.keystore.location', keystorePath)
  const revocationList = read('ssl.crl.location')
  const texts = {
    ...given('ca', ca),
    ...given('certificate', certificate),
    ...given('key', key),
    ...given('keystore', keystore),
    ...given('passphrase', config.get(keystore === undefined ? 'ssl.key.password' : 'ssl.keystore.password')),
    ...given('revocationList', revocationList),
    ...given('ciphers', config.get('ssl.cipher.suites')),
    ...given('curves', config.get('ssl.curves.list')),
    ...given('signatureAlgorithms', config.get('ssl.sigalgs.list')),
    ...given('checkIdentity', checkIdentity),
  }
  const options: TlsOptions = {
    ...texts,
    verifiesChain: config.get('enable.ssl.certificate.verification'),
    verifiesHostName: config.get('ssl.endpoint.identification.algorithm') === 'https',
  }
  const defect = tlsDefect(options)
  if (defect !== undefined) {
    throw kafkaException(KafkaError._SSL, `The "ssl.*" properties cannot be used: ${defect.message}`)
  }
  return options
}

/** PEM texts of certificates to trust: those of the location and of the text add up. undefined: the system's. */
export function trusted(
  files: FileSystem,
  prefix: 'ssl.ca' | 'https.ca',
  location: string | undefined,
  pem: string | undefined,
): readonly string[] | undefined {
  const texts = pem === undefined ? [] : [pem]
  const path = location === 'probe' ? usualPlaces.find((place) => files.stat(place) !== undefined) : location
  if (path !== undefined) texts.push(...certificatesAt(files, `${prefix}.location`, path))
  return texts.length === 0 ? undefined : texts
}

function certificatesAt(files: FileSystem, name: string, path: string): string[] {
  if (files.stat(path)?.isDirectory !== true) return [readFile(files, name, path).toString()]
  const texts: string[] = []
  for (const entry of files.list(path)) {
    const full = `${path}/${entry}`
    // A directory of certificates holds links, notes and other directories as well.
    if (files.stat(full)?.isDirectory !== false) continue
    const text = readFile(files, name, full).toString()
    if (text.includes('-----BEGIN CERTIFICATE-----')) texts.push(text)
  }
  if (texts.length === 0) throw invalid(`Property "${name}": no certificate in "${path}"`)
  return texts
}

function readFile(files: FileSystem, name: string, path: string): Buffer {
  try {
    return files.readFile(path)
  } catch (error) {
    throw invalid(`Property "${name}": "${path}" cannot be read: ${(error as Error).message}`)
  }
}

function given<N extends keyof TlsOptions>(
  name: N,
  value: TlsOptions[N] | undefined,
): Partial<Pick<TlsOptions, N>> {
  return value === undefined ? {} : ({ [name]: value } as Pick<TlsOptions, N>)
}
