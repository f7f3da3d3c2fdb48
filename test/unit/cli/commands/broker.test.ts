import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Cluster, startCluster } from '../../../../broker/cluster.ts'
import { type OpenHttp, openHttp } from '../../../../broker/http/open-http.ts'
import { runCommandLine } from '../../../../cli/program.ts'

let cluster: Cluster
let http: OpenHttp
let url: string

beforeAll(async () => {
  cluster = await startCluster({ brokers: 2 })
  http = await openHttp(cluster, { control: cluster, host: '127.0.0.1', port: 0 })
  url = http.url
})

afterAll(async () => {
  await http.close()
  await cluster.stop()
})

async function run(...args: string[]): Promise<{ code: number; out: string[]; errors: string[] }> {
  const out: string[] = []
  const errors: string[] = []
  const code = await runCommandLine(['broker', ...args, '--url', url], {
    out: (line) => out.push(line),
    error: (line) => errors.push(line),
  })
  return { code, out, errors }
}

describe('kafkito broker', () => {
  it('lists, stops and starts brokers', async () => {
    const { code, out } = await run('list')
    expect(code).toBe(0)
    expect(out.join('\n')).toMatch(/^1\trunning\t127\.0\.0\.1:\d+\n2\trunning\t127\.0\.0\.1:\d+$/)
    expect((await run('stop', '2')).out.join()).toMatch(/^2\tdown\t/)
    expect((await run('start', '2')).out.join()).toMatch(/^2\trunning\t/)
    expect((await run('freeze', '2')).out.join()).toMatch(/^2\tfrozen\t/)
    expect((await run('kill', '2')).out.join()).toMatch(/^2\tdown\t/)
    expect((await run('remove', '2')).out).toEqual(['2\tremoved'])
    expect((await run('add')).out.join()).toMatch(/^2\trunning\t/)
  })

  it('says why not', async () => {
    expect(await run('stop')).toMatchObject({
      code: 2,
      errors: expect.arrayContaining([expect.stringContaining('needs its id')]),
    })
    expect(await run('stop', '9')).toMatchObject({
      code: 1,
      errors: [expect.stringContaining('There is no broker 9')],
    })
    expect(await run('explode', '1')).toMatchObject({ code: 2 })
  })
})
