/**
 * Turns frames into the buffers of one `writev`: each frame gets its length, small fragments are copied together and large
 * ones stay as they are. Copying 16 KiB costs about as much as another buffer in the system call.
 */
import type { Frame } from '../protocol/frame.ts'
import { frameLengthBytes, joinBufferBytes, joinFragmentBytes } from './limits.ts'

export function joinFrames(frames: readonly Frame[]): Buffer[] {
  const result: Buffer[] = []
  let run: Buffer[] = []
  let runBytes = 0
  const endRun = (): void => {
    if (run.length > 0) result.push(run.length === 1 ? (run[0] as Buffer) : Buffer.concat(run, runBytes))
    run = []
    runBytes = 0
  }
  const add = (fragment: Buffer): void => {
    if (fragment.length === 0) return
    if (fragment.length >= joinFragmentBytes) {
      endRun()
      result.push(fragment)
      return
    }
    if (runBytes + fragment.length > joinBufferBytes) endRun()
    run.push(fragment)
    runBytes += fragment.length
  }
  for (const frame of frames) {
    const length = Buffer.allocUnsafe(frameLengthBytes)
    length.writeInt32BE(frame.sizeBytes)
    add(length)
    for (const fragment of frame.fragments) add(fragment)
  }
  endRun()
  return result
}
