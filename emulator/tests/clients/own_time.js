// SPDX-License-Identifier: GPL-2.0-or-later
// Node's own timers and clocks, with a device node open: node own_time.js
'use strict';
const fs = require('fs');
const { execFile } = require('child_process');

function expect(what, ms, want) {
  console.log(`${what}: ${ms.toFixed(1)} ms`);
  if (ms < want - 2 || ms > want + 700) {
    console.error(`${what}: ${want} ms expected`);
    process.exit(1);
  }
}

const pause = (ms) => new Promise((done) => setTimeout(done, ms));

async function main() {
  fs.openSync('/dev/bus/usb/001/002', 'r+');
  let start = performance.now(), day = Date.now();
  await pause(5000);
  expect('setTimeout', performance.now() - start, 5000);
  expect('Date', Date.now() - day, 5000);
  start = performance.now();
  let ticks = 0;
  await new Promise((done) => {
    const timer = setInterval(() => {
      if (++ticks === 10) {
        clearInterval(timer);
        done();
      }
    }, 1000);
  });
  expect('setInterval', performance.now() - start, 10000);
  start = performance.now();
  await fs.promises.readFile(__filename); // by a thread of the pool
  await Promise.all([pause(3000), pause(100)]);
  expect('two at once', performance.now() - start, 3000);
  start = performance.now();
  await new Promise((done, fail) => execFile('sleep', ['0.2'], (error) => (error ? fail(error) : done())));
  expect('a child', performance.now() - start, 200);
}

main();
