/** The text that every family sends through the broker and must get back unchanged. */

export const LINE_COUNT = 100_000

/** Lines of 8 to about 130 bytes: numbered, never empty, with two-, three- and four-byte UTF-8 among them. */
export function makeLines(count = LINE_COUNT): string[] {
  const alphabet = 'abcdefghijklmnopqrstuvwxyz ABCDEFGHIJKLMNOPQRSTUVWXYZ 0123456789 äöß€漢字🦜'
  const letters = [...alphabet]
  let state = 42
  const next = (bound: number): number => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff
    return (state >>> 8) % bound
  }
  return Array.from({ length: count }, (_, index) => {
    let text = `${String(index).padStart(6, '0')}: `
    for (let length = next(80); length > 0; length--) text += letters[next(letters.length)]
    return `${text}.`
  })
}
