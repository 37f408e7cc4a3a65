// Loads the addon of tsfn_baseline.c, which is documented there. It is not called .node: see
// binding.gyp.
const { join } = require('node:path')

process.dlopen(module, join(__dirname, '../../build/Release/tsfn_baseline.addon'))
