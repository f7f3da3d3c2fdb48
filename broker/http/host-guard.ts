/**
 * Keeps web pages of others away from the HTTP interface. A page that made its own name point at this machine (DNS rebinding) is known
 * by its `Host`, a page that sends requests across sites by its `Origin`.
 */

const LOOPBACK_NAMES: readonly string[] = ['localhost', '127.0.0.1', '[::1]']

export class HostGuard {
  readonly #names: ReadonlySet<string>

  /** @param names further host names, without port, under which the interface may be addressed */
  constructor(names: readonly string[] = []) {
    this.#names = new Set([...LOOPBACK_NAMES, ...names.map((name) => name.toLowerCase())])
  }

  isAllowedHost(host: string | undefined): boolean {
    return host !== undefined && this.#names.has(hostName(host))
  }

  /** Requests without an `Origin` come from tools, or from a page of this interface itself. */
  isAllowedOrigin(origin: string | undefined): boolean {
    if (origin === undefined) return true
    const authority = /^https?:\/\/([^/]+)$/.exec(origin)?.[1]
    return authority !== undefined && this.#names.has(hostName(authority))
  }
}

function hostName(authority: string): string {
  return authority.toLowerCase().replace(/:\d{1,5}$/, '')
}
