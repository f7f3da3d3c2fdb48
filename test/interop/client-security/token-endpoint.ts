/** An OAuth token end point, over HTTPS with the server's certificate: unsecured tokens for the client credentials that it knows. */
import { readFileSync } from 'node:fs'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'

export interface TokenEndpoint {
  readonly url: string
  /** Bodies of the requests that got a token. */
  readonly asked: readonly string[]
  stop(): Promise<void>
}

/** @param newToken makes the token of an answer */
export async function tokenEndpoint(
  tlsFile: (name: string) => string,
  credentials: string,
  newToken: () => string,
): Promise<TokenEndpoint> {
  const asked: string[] = []
  const expected = `Basic ${Buffer.from(credentials).toString('base64')}`
  const own = { cert: readFileSync(tlsFile('server.pem')), key: readFileSync(tlsFile('server.key')) }
  const server = createServer(own, (request, response) => {
    let body = ''
    request.on('data', (chunk) => {
      body += String(chunk)
    })
    request.on('end', () => {
      const isKnown = request.headers.authorization === expected
      if (isKnown) asked.push(body)
      const answer = isKnown ? { access_token: newToken(), expires_in: 3600 } : { error: 'invalid_client' }
      response.writeHead(isKnown ? 200 : 401, { 'Content-Type': 'application/json' })
      response.end(JSON.stringify(answer))
    })
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  return {
    url: `https://localhost:${(server.address() as AddressInfo).port}/token`,
    asked,
    stop: () => new Promise((stopped) => void server.close(() => stopped())),
  }
}
