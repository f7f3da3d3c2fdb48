import { interpretCodec } from './interpret.ts'
export const compileCodec = interpretCodec
