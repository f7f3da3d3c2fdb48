/** TLS as the options of a link ask for it, in the form that Node's sockets take. */
import { createRequire } from 'node:module'
import * as net from 'node:net'
import type * as tls from 'node:tls'
import type { TlsOptions } from '../transport.ts'

let loaded: typeof tls | undefined

/** Node's TLS, loaded on first use. */
export function loadTls(): typeof tls {
  loaded ??= createRequire(import.meta.url)('node:tls') as typeof tls
  return loaded
}

/** Reading keys and some hundred certificates takes milliseconds: once for all connections of a client. */
const contexts = new WeakMap<TlsOptions, tls.SecureContext>()

/** Throws an Error for certificates and keys that cannot be read, do not fit together, or need another pass phrase. */
export function secureContextOf(options: TlsOptions): tls.SecureContext {
  const known = contexts.get(options)
  if (known !== undefined) return known
  const { ca, certificate, key, keystore, passphrase, revocationList } = options
  const { ciphers, curves, signatureAlgorithms } = options
  const context = loadTls().createSecureContext({
    ...(ca === undefined ? {} : { ca: [...ca] }),
    ...(certificate === undefined ? {} : { cert: certificate }),
    ...(key === undefined ? {} : { key }),
    ...(keystore === undefined ? {} : { pfx: keystore }),
    ...(passphrase === undefined ? {} : { passphrase }),
    ...(revocationList === undefined ? {} : { crl: revocationList }),
    ...(ciphers === undefined ? {} : { ciphers }),
    ...(curves === undefined ? {} : { ecdhCurve: curves }),
    ...(signatureAlgorithms === undefined ? {} : { sigalgs: signatureAlgorithms }),
  })
  contexts.set(options, context)
  return context
}

/** What a TLS client to `host` needs besides the address: the name is checked as it was asked for, not as it was resolved. */
export function tlsConnectOptions(options: TlsOptions, host: string): tls.ConnectionOptions {
  const { checkIdentity, verifiesChain, verifiesHostName } = options
  return {
    secureContext: secureContextOf(options),
    // SNI carries names only (RFC 6066).
    servername: net.isIP(host) === 0 ? host : '',
    rejectUnauthorized: verifiesChain,
    checkServerIdentity: (_, certificate) => {
      if (checkIdentity !== undefined) return checkIdentity(host, certificate)
      return verifiesHostName ? loadTls().checkServerIdentity(host, certificate) : undefined
    },
  }
}

/** Why these options cannot be used; undefined when they can. */
export function tlsDefect(options: TlsOptions): Error | undefined {
  try {
    secureContextOf(options)
    return undefined
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error))
  }
}
