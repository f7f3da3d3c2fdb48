export default { transform: {}, testEnvironment: 'node', testPathIgnorePatterns: ['shared.test.js'] }
