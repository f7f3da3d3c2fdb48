'use strict'
/**
 * Loads broker.cjs, the code of broker and command line in one file, with what V8 compiled of it in an earlier process: a cold start is
 * for the most part V8 that reads and compiles. V8 itself refuses what another version or other flags of it wrote, but trusts the
 * bytes, so checksums of the code and of what was compiled stand at the end of the file.
 *
 * What was compiled lies beside the code and is not published. Where nothing can be written (an installation of another user), every
 * process compiles for itself, as it would without this file.
 */
const fs = require('node:fs')
const { createRequire } = require('node:module')
const { dirname, join } = require('node:path')
const { Script, constants, runInThisContext } = require('node:vm')
const { crc32 } = require('node:zlib')

const CODE = join(__dirname, 'broker.cjs')
const COMPILED = join(__dirname, 'compiled', `${process.version}-${process.arch}`)

/** When what a start needs is compiled; a command that only asks something has ended by then. */
const SAVE_AFTER_MS = 2000

/** Of the code, and of what was compiled of it; big-endian. */
const CHECKSUMS_BYTES = 8

// Test runners with a realm of their own (Jest) have their own `Error` and `Array`, and the code has to be theirs too.
module.exports = runInThisContext('globalThis') === globalThis ? loadCompiled() : require('./broker.cjs')

function loadCompiled() {
  const code = fs.readFileSync(CODE)
  const cachedData = compiledOf(code)
  const script = new Script(`(function(exports,require,module,__filename){${code.latin1Slice()}\n})`, {
    filename: CODE,
    importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
    ...(cachedData === undefined ? {} : { cachedData }),
  })
  const loaded = { exports: {} }
  script.runInThisContext()(loaded.exports, createRequire(CODE), loaded, CODE)
  if (cachedData === undefined || script.cachedDataRejected === true) {
    setTimeout(() => trySave(code, script), SAVE_AFTER_MS).unref()
  }
  return loaded.exports
}

/** Undefined when there is none, or none that is whole and of this code. */
function compiledOf(code) {
  try {
    const file = fs.readFileSync(COMPILED)
    const size = file.length - CHECKSUMS_BYTES
    const compiled = file.subarray(0, size)
    const isWhole = file.readUInt32BE(size) === crc32(code) && file.readUInt32BE(size + 4) === crc32(compiled)
    return isWhole ? compiled : undefined
  } catch {
    return undefined
  }
}

/** Whole or not at all: who reads at the same time finds the old one, or none. V8 is asked only where there is a place for it. */
function trySave(code, script) {
  const part = `${COMPILED}.${process.pid}`
  try {
    fs.mkdirSync(dirname(COMPILED), { recursive: true })
    fs.writeFileSync(part, '')
    const compiled = script.createCachedData()
    const checksums = Buffer.alloc(CHECKSUMS_BYTES)
    checksums.writeUInt32BE(crc32(code), 0)
    checksums.writeUInt32BE(crc32(compiled), 4)
    fs.writeFileSync(part, Buffer.concat([compiled, checksums]))
    fs.renameSync(part, COMPILED)
  } catch {
    fs.rmSync(part, { force: true })
  }
}
