// Jest: its tests run in a context of their own, whose globals are not Node's. The environment
// 'jsdom' asks for the condition 'browser' of package.json; with customExportConditions it gets the
// entry for Node.
const project = (displayName, addon, options) => ({
  displayName,
  rootDir: __dirname,
  testMatch: ['**/jest.test.cjs'],
  ...options,
  globals: { SABWAY_SUITE: { addon, faked: options.fakeTimers !== undefined } },
})
const fakeTimers = { enableGlobally: true }
const testEnvironmentOptions = { customExportConditions: ['node'] }

module.exports = {
  projects: [
    project('node', true, { testEnvironment: 'node' }),
    project('node, clocks faked from the start', true, { testEnvironment: 'node', fakeTimers }),
    project('node, ES modules', true, { testEnvironment: 'node', testMatch: ['**/jest.test.mjs'] }),
    project('jsdom', false, { testEnvironment: 'jsdom' }),
    project('jsdom, clocks faked from the start', false, { testEnvironment: 'jsdom', fakeTimers }),
    project('jsdom, the entry for Node', true, { testEnvironment: 'jsdom', testEnvironmentOptions }),
  ],
}
