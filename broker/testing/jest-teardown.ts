/** `globalTeardown: 'kafkito/jest/teardown'`: ends what `kafkito/jest/setup` started. */
// biome-ignore lint/style/noDefaultExport: jest takes nothing else
export { teardown as default } from './jest-setup.ts'
