import { describe, expect, it } from 'vitest'
import { SeededRandom } from '../../common/runtime/seeded-random.ts'
import { MemoryDisk } from '../../common/runtime/sim/files.ts'
import { VirtualClock } from '../../common/runtime/virtual-clock.ts'
import { LogModel } from './log-model.ts'

const CONFIG = { segmentBytes: 1200, indexIntervalBytes: 150, fileDeleteDelayMs: 0 }

function newModel(): { disk: MemoryDisk; model: LogModel } {
  const clock = new VirtualClock()
  const disk = new MemoryDisk({ clock, trackUnsynced: true, post: (task) => task() })
  return { disk, model: new LogModel(disk, clock, CONFIG) }
}

/** Everything a log does in its life, twice. */
function liveOneLife(model: LogModel): void {
  model.open()
  for (let round = 0; round < 2; round++) {
    for (let count = 0; count < 6; count++) {
      model.append(3, 40, round)
      if (count % 2 === 1) model.append(1, 200, round)
      model.turn()
    }
    model.log?.syncTo()
    model.turn()
    model.manager.checkpointAll()
    model.append(2, 10, round)
    model.turn()
    if (round === 0) {
      model.truncateTo(12)
      model.append(1, 10, 1)
      model.turn()
      model.deleteBefore(7)
      model.turn()
    }
  }
  model.log?.roll()
  model.append(1, 1, 2)
  model.turn()
}

const callsOfALife = (() => {
  const { disk, model } = newModel()
  liveOneLife(model)
  model.close()
  return disk.calls
})()

describe('a failing disk', () => {
  for (const forever of [false, true]) {
    it(`loses nothing acknowledged when the n-th call fails${forever ? ' and every later one' : ''}, for every n`, () => {
      expect(callsOfALife).toBeGreaterThan(100)
      for (let nth = 1; nth <= callsOfALife; nth++) {
        const { disk, model } = newModel()
        disk.failAt(nth, 'EIO', { forever, tornBytes: nth % 90 })
        try {
          liveOneLife(model)
          model.close()
          disk.repair()
          model.kill()
          model.restart()
          model.check()
        } catch (error) {
          throw new Error(`call ${nth}: ${String(error)}`, { cause: error })
        }
      }
    })
  }

  it('loses nothing acknowledged when the process is killed at the n-th call, for every n', () => {
    for (let nth = 1; nth <= callsOfALife; nth++) {
      const { disk, model } = newModel()
      disk.failAt(nth, 'EIO', { forever: true, tornBytes: nth % 90 })
      liveOneLife(model)
      disk.repair()
      model.kill()
      model.restart()
      try {
        model.check()
      } catch (error) {
        throw new Error(`call ${nth}: ${String(error)}`, { cause: error })
      }
    }
  })

  it('loses nothing synced when the power is cut at the n-th call, for every n', () => {
    for (let nth = 1; nth <= callsOfALife; nth++) {
      const { disk, model } = newModel()
      disk.failAt(nth, 'EIO', { forever: true, tornBytes: nth % 90 })
      liveOneLife(model)
      disk.repair()
      model.cutPower(new SeededRandom(nth))
      model.restart()
      try {
        model.check()
        model.append(1, 5, 3)
        model.turn()
        model.close()
        model.restart()
        model.check()
      } catch (error) {
        throw new Error(`call ${nth}: ${String(error)}`, { cause: error })
      }
    }
  })
})

describe('a log beside its model', () => {
  const seeds = Array.from({ length: 400 }, (_, index) => index + 1)
  it.each(seeds)('agrees after random appends, cuts, failures and restarts (SEED=%i)', (seed) => {
    const random = new SeededRandom(seed)
    const { disk, model } = newModel()
    model.open()
    for (let step = 0; step < 150; step++) {
      const { log } = model
      const end = log?.logEndOffset ?? 0
      const start = log?.logStartOffset ?? 0
      switch (random.int(14)) {
        case 0:
          log?.roll()
          break
        case 1:
          log?.syncTo()
          break
        case 2:
          model.manager.checkpointAll()
          break
        case 3:
          model.turn()
          if (random.int(3) === 0 && end > start) model.truncateTo(start + random.int(end - start + 1))
          break
        case 4:
          model.turn()
          if (random.int(3) === 0 && end > start) model.deleteBefore(start + random.int(end - start + 1))
          break
        case 5:
          if (random.int(4) === 0) disk.failAt(1 + random.int(30), 'ENOSPC', { tornBytes: random.int(100) })
          break
        case 6:
          model.turn()
          log?.syncInBackground()
          break
        case 7: {
          const kind = random.int(6)
          if (kind > 2) break
          disk.repair()
          if (kind === 0) model.close()
          if (kind < 2) model.kill()
          else model.cutPower(random)
          model.restart()
          model.check()
          break
        }
        default:
          model.append(1 + random.int(4), random.int(150), Math.floor(step / 20))
          if (random.int(2) === 0) model.turn()
      }
    }
    disk.repair()
    model.turn()
    model.kill()
    model.restart()
    model.check()
  })
})
