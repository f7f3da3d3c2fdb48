import { appendFile, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { startCluster } from '../../broker/cluster.ts'
import { encodeMetadataRecord, metadataRecord } from '../../broker/metadata/metadata-record.ts'
import { BatchCursor } from '../../common/record/batch.ts'
import { BatchBuilder } from '../../common/record/batch-builder.ts'

let dataDir: string

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'kafkito-start-'))
})

afterEach(() => rm(dataDir, { recursive: true }))

async function startedOnce(): Promise<void> {
  await (await startCluster({ dataDir })).stop()
}

async function changeMetaProperties(change: (text: string) => string): Promise<void> {
  const path = join(dataDir, 'broker-1', 'meta.properties')
  await writeFile(path, change(await readFile(path, 'utf8')))
}

/** Ends the metadata log with a level of `metadata.version`, as a broker of a later time would have. */
async function finalizeMetadataVersion(featureLevel: number): Promise<void> {
  const directory = join(dataDir, 'broker-1', '__cluster_metadata-0')
  const segment = (await readdir(directory)).filter((name) => name.endsWith('.log')).sort()
  const path = join(directory, segment.at(-1) as string)
  const cursor = new BatchCursor(await readFile(path))
  let [nextOffset, epoch] = [0, 0]
  while (cursor.next()) {
    nextOffset = cursor.batch.nextOffset
    epoch = cursor.batch.partitionLeaderEpoch
  }
  const builder = new BatchBuilder({ baseOffset: nextOffset })
  const record = metadataRecord('FeatureLevelRecord', 0, { name: 'metadata.version', featureLevel })
  builder.append(Date.UTC(2030, 0, 1), null, encodeMetadataRecord(record))
  const bytes = builder.build()
  const batch = new BatchCursor(bytes)
  batch.next()
  batch.batch.stamp(nextOffset, epoch)
  await appendFile(path, bytes)
}

describe('a data directory that cannot be used', () => {
  it('is told from others when another broker has it', async () => {
    const first = await startCluster({ dataDir })
    await expect(startCluster({ dataDir })).rejects.toMatchObject({
      code: 'DIRECTORY_LOCKED',
      hint: expect.stringContaining('--data-dir'),
    })
    await first.stop()
  })

  it('is told from others when meta.properties has a version of a later time', async () => {
    await startedOnce()
    await changeMetaProperties((text) => text.replace('version=1', 'version=2'))
    await expect(startCluster({ dataDir })).rejects.toMatchObject({
      code: 'NEWER_DATA',
      message: expect.stringContaining('has version 2, known is 1'),
    })
  })

  it('is told from others when it has features of a later time', async () => {
    await startedOnce()
    await finalizeMetadataVersion(99)
    await expect(startCluster({ dataDir })).rejects.toMatchObject({
      code: 'NEWER_DATA',
      message: 'The data has metadata.version 99; this version knows it up to 33.',
    })
  })

  it('is not harmed by an attempt to start on it', async () => {
    await startedOnce()
    await changeMetaProperties((text) => text.replace('version=1', 'version=2'))
    await expect(startCluster({ dataDir })).rejects.toMatchObject({ code: 'NEWER_DATA' })
    await changeMetaProperties((text) => text.replace('version=2', 'version=1'))
    await startedOnce()
  })
})
