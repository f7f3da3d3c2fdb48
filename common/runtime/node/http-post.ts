/** One POST over HTTP or HTTPS, whole in both directions: what a client needs to fetch a token. No redirects, no connection kept. */
import type * as http from 'node:http'
import type * as https from 'node:https'
import { createRequire } from 'node:module'

/** Node's HTTP client, loaded on first use: few ask for tokens over HTTP. */
function loadHttp(url: string): typeof http | typeof https {
  return createRequire(import.meta.url)(/^https:/i.test(url) ? 'node:https' : 'node:http')
}

export interface HttpPost {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  readonly timeoutMs: number
  readonly maxAnswerBytes: number
  /** Trusted certificates as PEM; the system's when absent. */
  readonly ca?: readonly string[]
}

export interface HttpAnswer {
  readonly status: number
  readonly body: string
}

/** `done` is called exactly once; with an Error when no whole answer came in time. */
export function postOverHttp(
  post: HttpPost,
  done: (error: Error | undefined, answer: HttpAnswer | undefined) => void,
): void {
  let isDone = false
  const finish = (error: Error | undefined, answer?: HttpAnswer): void => {
    if (isDone) return
    isDone = true
    clearTimeout(deadline)
    done(error, answer)
  }
  const options = {
    method: 'POST',
    agent: false,
    headers: { ...post.headers, 'Content-Length': Buffer.byteLength(post.body) },
    ...(post.ca === undefined ? {} : { ca: [...post.ca] }),
  } as const
  const request = loadHttp(post.url).request(post.url, options, (response) => {
    const chunks: Buffer[] = []
    let sizeBytes = 0
    response.on('data', (chunk: Buffer) => {
      chunks.push(chunk)
      sizeBytes += chunk.length
      if (sizeBytes > post.maxAnswerBytes) {
        request.destroy(new Error(`the answer is longer than ${post.maxAnswerBytes} bytes`))
      }
    })
    response.on('error', finish)
    response.on('end', () =>
      finish(undefined, { status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() }),
    )
  })
  const deadline = setTimeout(
    () => request.destroy(new Error(`no answer within ${post.timeoutMs} ms`)),
    post.timeoutMs,
  )
  request.on('error', finish)
  request.on('close', () => finish(new Error('the connection closed before the answer')))
  request.end(post.body)
}
