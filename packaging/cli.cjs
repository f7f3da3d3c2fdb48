#!/usr/bin/env node
'use strict'
/** The command `kafkito`. CommonJS, because Node would else load its loader of ES modules first. */
require('./load-broker.cjs')
  .runCommandLine(process.argv.slice(2))
  .then((exitCode) => process.exit(exitCode))
