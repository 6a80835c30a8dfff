#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
// BullMQ on a Redis of its own, in the folder that is handed over, with `setting` as its
// appendfsync: "always" is as durable as the broker, a put is answered once it is on the disk.
'use strict'
const fs = require('node:fs')
const path = require('node:path')
const { spawn } = require('node:child_process')
const { once } = require('node:events')
const { serve } = require('./measure.js')

const FILLED = 4000 // lie there before they are completed
const AT_ONCE = 500
const QUIET_MS = 2

// Redis, once it takes connections. It ends with this process, however that does.
async function startRedis (folder, setting) {
  const socket = path.join(folder, 'redis.sock')
  fs.mkdirSync(folder)
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', 'redis-server', '--port', '0',
    '--unixsocket', socket, '--dir', folder, '--save', '', '--appendonly', 'yes',
    '--appendfsync', setting], { stdio: ['ignore', 'pipe', 'pipe'] })
  const ended = once(child, 'close')
  const close = async () => {
    child.kill('SIGKILL')
    await ended
    fs.rmSync(folder, { recursive: true, force: true })
  }
  let said = ''
  const ready = new Promise(resolve => {
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', text => {
        said = (said + text).slice(-2000)
        if (/ready to accept connections/i.test(said)) resolve(true)
      })
    }
  })
  if (await Promise.race([ready, ended.then(() => false, () => false)])) {
    return { socket, close, version: /Redis version=([\w.]+)/.exec(said)?.[1] }
  }
  fs.rmSync(folder, { recursive: true, force: true })
  throw new Error(/No such file/.test(said)
    ? 'redis-server is not installed (Debian: redis-server)'
    : `Redis does not start: ${said.trim().split('\n').at(-1)}`)
}

async function open (load, folder, setting) {
  const { module: { Queue, Worker }, version } = load('bullmq')
  load('ioredis') // which BullMQ does not bring along
  const redis = await startRedis(folder, setting)
  const connection = { path: redis.socket, maxRetriesPerRequest: null }
  const options = { connection, defaultJobOptions: { removeOnComplete: true } }
  const queue = new Queue('bench', options)
  const empty = new Queue('empty', options)
  await queue.waitUntilReady()

  async function fill (body) {
    let left = FILLED - await queue.getWaitingCount()
    for (; left > 0; left -= AT_ONCE) {
      await queue.addBulk(Array.from({ length: AT_ONCE }, () => ({ name: 'job', data: { body } })))
    }
    return queue.getWaitingCount()
  }

  // A worker that has so many in its hands. Its start and end are not in the time.
  async function complete (work) {
    const most = await fill(work.body)
    const worker = new Worker('bench', async () => {},
      { connection, concurrency: work.inFlight, autorun: false })
    await worker.waitUntilReady()
    const begun = performance.now()
    let done = 0
    let last = begun
    await new Promise((resolve, reject) => {
      worker.on('error', reject)
      worker.on('failed', (job, error) => reject(error))
      worker.on('completed', () => {
        done++
        last = performance.now()
        if (done === most || last > begun + work.ms) resolve()
      })
      worker.run().catch(reject)
    })
    await worker.close()
    return { done, ms: last - begun, p50: 0 }
  }

  async function listen (handler) {
    const worker = new Worker('empty', async () => handler(), { connection })
    await worker.waitUntilReady()
    return worker
  }

  return {
    about: `BullMQ ${version} on Redis ${redis.version}, appendonly yes, appendfsync ${setting}`,
    put: body => queue.add('job', { body }),
    putToListener: body => empty.add('job', { body }),
    quietMs: () => QUIET_MS,
    complete,
    listen,
    close: async () => {
      await Promise.allSettled([queue.close(), empty.close()])
      await redis.close()
    }
  }
}

serve(open)
