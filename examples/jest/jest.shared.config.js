// One cluster for the whole run: startCluster attaches to it.
export default {
  preset: 'kafkito/jest',
  transform: {},
  testEnvironment: 'node',
  testMatch: ['**/shared.test.js'],
}
