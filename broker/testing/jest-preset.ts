/** `preset: 'kafkito/jest'`: one cluster for the whole run, in place of naming `kafkito/jest/setup` and `kafkito/jest/teardown`. */
// biome-ignore lint/style/noDefaultExport: jest takes nothing else
export default { globalSetup: 'kafkito/jest/setup', globalTeardown: 'kafkito/jest/teardown' }
