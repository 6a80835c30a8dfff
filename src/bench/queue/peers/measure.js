// SPDX-License-Identifier: Apache-2.0
// What peers have in common: they are asked by the bench, line by line on descriptor 3, and end
// when it does, or with the first error. A line is WHAT IN_FLIGHT MILLISECONDS BYTES; its answer is
// DONE MICROSECONDS P50, or a sentence behind "error". Before any work one line says what is
// measured, behind "ready", or what is missing.
'use strict'
const fs = require('node:fs')
const net = require('node:net')
const path = require('node:path')
const readline = require('node:readline')

const FD = 3
const DELIVERIES = 3 // at least, however long one waits
const [modules, where, setting] = process.argv.slice(2)

const sleep = ms => new Promise(resolve => setTimeout(resolve, ms))

// A package from the folder where `npm install` put it, with its version.
function load (name) {
  const folder = path.resolve(modules, 'node_modules', name)
  if (!fs.existsSync(folder)) {
    throw new Error(`${name} is not there (npm install in ${modules})`)
  }
  const { version } = JSON.parse(fs.readFileSync(path.join(folder, 'package.json'), 'utf8'))
  return { version, module: require(folder) }
}

function median (times) {
  times.sort((a, b) => a - b)
  const half = times.length / 2
  return (times[Math.floor(half)] + times[Math.ceil(half) - 1]) / 2 * 1000
}

// As many lanes as are in flight put one after the other. At least one each.
async function put (peer, work) {
  const times = []
  const begun = performance.now()
  const lane = async () => {
    do {
      const one = performance.now()
      await peer.put(work.body)
      times.push(performance.now() - one)
    } while (performance.now() < begun + work.ms)
  }
  await Promise.all(Array.from({ length: work.inFlight }, lane))
  return { done: times.length, ms: performance.now() - begun, p50: median(times) }
}

// From a put to the begin of the handler that waits for it, one after the other.
async function deliver (peer, work) {
  const times = []
  let came
  const listener = await peer.listen(() => came(performance.now()))
  const begun = performance.now()
  do {
    const handled = new Promise(resolve => { came = resolve })
    await sleep(peer.quietMs()) // it waits
    const one = performance.now()
    const [at] = await Promise.all([handled, peer.putToListener(work.body)])
    times.push(at - one)
  } while (performance.now() < begun + work.ms || times.length < DELIVERIES)
  const ms = performance.now() - begun
  await listener.close()
  return { done: times.length, ms, p50: median(times) }
}

function answerTo (peer, line) {
  const [what, inFlight, ms, bytes] = line.split(' ')
  const work = { inFlight: Number(inFlight), ms: Number(ms), body: 'x'.repeat(Number(bytes)) }
  if (what === 'complete') return peer.complete(work)
  return what === 'deliver' ? deliver(peer, work) : put(peer, work)
}

// `open(load, where, setting)` gives the peer: about, put(body), complete(work), listen(handler),
// putToListener(body), quietMs() and close().
async function serve (open) {
  const bench = new net.Socket({ fd: FD, readable: true, writable: true, allowHalfOpen: true })
  const lines = readline.createInterface({ input: bench })
  const tell = text => bench.write(text.replace(/\s+/g, ' ').slice(0, 400) + '\n')
  let peer
  // What is for the bench as well: it closes its end, however it goes.
  for (const name of ['SIGINT', 'SIGTERM']) process.on(name, () => {})
  bench.on('error', () => {})
  bench.on('close', () => lines.close())
  const asked = lines[Symbol.asyncIterator]()
  try {
    peer = await open(load, where, setting)
    tell(`ready ${peer.about}`)
    for await (const line of asked) {
      const { done, ms, p50 } = await answerTo(peer, line)
      tell(`${done} ${(ms * 1000).toFixed(0)} ${p50.toFixed(1)}`)
    }
  } catch (error) {
    tell(`error ${error.message}`)
  }
  await peer?.close()
  bench.end(() => process.exit(0))
}

module.exports = { serve }
