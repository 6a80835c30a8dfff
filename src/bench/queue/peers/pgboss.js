#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
// pg-boss in a schema of its own on the server that is handed over, which is removed again. How
// durable it is, the server's settings say: those the broker has there, too.
'use strict'
const { serve } = require('./measure.js')

const SCHEMA = 'isoworker_bench_pgboss'
const FILLED = 4000 // lie there before they are completed
const POLL_MS = 500 // the shortest that it allows
const CONNECTIONS = 10

async function open (load, place) {
  const { module: PgBoss, version } = load('pg-boss')
  const boss = new PgBoss({ connectionString: place, schema: SCHEMA, max: CONNECTIONS,
    schedule: false })
  const sql = text => boss.getDb().executeSql(text)
  const drop = `DROP SCHEMA IF EXISTS ${SCHEMA} CASCADE`
  boss.on('error', () => {}) // of what it does beside; calls reject
  await boss.getDb().open()
  await sql(`SET client_min_messages TO error; ${drop}`)
  await boss.start()
  for (const name of ['bench', 'empty']) await boss.createQueue(name)
  const { rows: [server] } = await sql("SELECT current_setting('server_version') AS version, " +
    "current_setting('fsync') AS fsync, current_setting('synchronous_commit') AS commits")

  async function fill (body) {
    const left = FILLED - await boss.getQueueSize('bench')
    if (left <= 0) return
    await boss.insert(Array.from({ length: left }, () => ({ name: 'bench', data: { body } })))
  }

  // What is held is completed while the next is fetched, as the broker's side does.
  async function complete (work) {
    await fill(work.body)
    const fetch = () => boss.fetch('bench', { batchSize: work.inFlight })
    const begun = performance.now()
    let done = 0
    let held = await fetch()
    while (held?.length) {
      const more = done + 2 * work.inFlight <= FILLED && performance.now() < begun + work.ms
      const [next] = await Promise.all([more ? fetch() : [],
        boss.complete('bench', held.map(job => job.id))])
      done += held.length
      held = next
    }
    return { done, ms: performance.now() - begun, p50: 0 }
  }

  async function listen (handler) {
    const id = await boss.work('empty', { pollingIntervalSeconds: POLL_MS / 1000 },
      async () => handler())
    return { close: () => boss.offWork({ id }) }
  }

  return {
    about: `pg-boss ${version} on PostgreSQL ${server.version.split(' ')[0]}, fsync ` +
           `${server.fsync}, synchronous_commit ${server.commits}; its handler polls every ` +
           `${POLL_MS} ms, the least that it allows`,
    put: body => boss.send('bench', { body }),
    putToListener: body => boss.send('empty', { body }),
    quietMs: () => Math.random() * POLL_MS, // a put comes at any time between two polls
    complete,
    listen,
    close: async () => {
      await boss.stop({ close: false, timeout: 1000 }).catch(() => {}) // handlers are through
      await sql(drop).catch(() => {})
    }
  }
}

serve(open)
