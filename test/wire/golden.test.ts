import { describe, expect, it } from 'vitest'
import { compileCodec } from '../../common/protocol/compile.ts'
import { interpretCodec } from '../../common/protocol/interpret.ts'
import { Reader } from '../../common/protocol/reader.ts'
import { Writer } from '../../common/protocol/writer.ts'
import { goldenCases, goldenFiles, hasRecords, withDefaults } from './golden-cases.ts'

describe.each([
  ['compiled', compileCodec],
  ['interpreted', interpretCodec],
])('%s codecs', (_kind, build) => {
  const writer = new Writer()
  const files = goldenFiles()

  it.each(files)('%s reads and writes what Kafka wrote', (file) => {
    for (const { message, version, input, bytes } of goldenCases(file)) {
      const codec = build(message, version)
      const reader = new Reader(bytes)
      const decoded = codec.decode(reader)
      expect(decoded).toStrictEqual(withDefaults(message.fields, input, decoded))
      expect(reader.remainingBytes).toBe(0)
      for (const value of hasRecords(message.fields) ? [decoded] : [input, decoded]) {
        writer.begin(true)
        codec.encode(writer, value)
        expect(writer.finishBuffer().toString('hex')).toBe(bytes.toString('hex'))
      }
    }
  })

  it('has all of the 2,949 cases', () => {
    expect(files.reduce((count, file) => count + goldenCases(file).length, 0)).toBe(2949)
  })
})
