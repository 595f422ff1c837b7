#!/usr/bin/env node
// Finds a Node.js that is new enough and starts Bewaar in it, where `bin/bewaar` cannot do so at once. This file must run on
// any Node.js since 18.
import { constants } from 'node:os'
import { fileURLToPath } from 'node:url'

import { findMain, findOwnNode, nodeOptions, withSettings } from './main.js'

const needed = 26
const isNewEnough = Number(process.versions.node.split('.')[0]) >= needed
const node = isNewEnough ? process.execPath : findOwnNode()
if (node === undefined) {
  process.stderr.write(
    `Bewaar needs Node.js ${needed} or newer, and this is ${process.version}.\n` +
      'Install it, or run `npm install` in the folder of Bewaar on a platform that it brings one for.\n',
  )
  process.exitCode = 1
} else {
  const root = fileURLToPath(new URL('..', import.meta.url))
  const main = findMain(root)
  const args = [...nodeOptions, main, ...process.argv.slice(2)]
  const env = withSettings(process.env, root, main)
  // Because one process gets signals straight, where the platform and this Node can replace themselves by another.
  if (process.execve !== undefined && process.platform !== 'win32') replace(node, args, env)
  else await start(node, args, env)
}

function replace(node, args, env) {
  process.removeAllListeners('warning') // because the call is experimental in some versions, and says so
  process.execve(node, [node, ...args], env)
}

async function start(node, args, env) {
  const { spawn } = await import('node:child_process')
  const child = spawn(node, args, { stdio: 'inherit', env: { ...env, BEWAAR_LAUNCHER: String(process.pid) } })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  child.on('error', (error) => {
    process.stderr.write(`${node} does not start: ${error.message}\n`)
    process.exitCode = 1
  })
  child.on('exit', (code, signal) => {
    process.exitCode = code ?? 128 + constants.signals[signal]
  })
}
