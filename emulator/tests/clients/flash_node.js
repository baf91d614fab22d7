// SPDX-License-Identifier: GPL-2.0-or-later
// A client with node's `usb` by its WebUSB interface: flash_node.js FOLDER list | flash FILE | read FILE LENGTH
// FOLDER: where the package was installed.
'use strict';

const fs = require('fs');
const path = require('path');

const FLASH = 0x08000000, SECTOR = 0x4000, BLOCK = 2048;
const DNLOAD = 1, UPLOAD = 2, GETSTATUS = 3, CLRSTATUS = 4, ABORT = 6;
const IDLE = 2, DNBUSY = 4, DNLOAD_IDLE = 5, ERROR = 10;

let device;

const setup = (request, value) => ({ requestType: 'class', recipient: 'interface', request, value, index: 0 });

async function out(request, value = 0, data = new Uint8Array(0)) {
  const result = await device.controlTransferOut(setup(request, value), data);
  if (result.status !== 'ok')
    throw new Error(`request ${request}: ${result.status}`);
}

async function input(request, value, length) {
  const result = await device.controlTransferIn(setup(request, value), length);
  if (result.status !== 'ok' || result.data.byteLength !== length)
    throw new Error(`request ${request}: ${result.status}`);
  return Buffer.from(result.data.buffer, result.data.byteOffset, length);
}

const state = async () => (await input(GETSTATUS, 0, 6))[4];

async function toIdle() {
  for (let i = 0; i < 4; i++) {
    const now = await state();
    if (now === IDLE)
      return;
    await out(now === ERROR ? CLRSTATUS : ABORT);
  }
  throw new Error('the board does not become idle');
}

async function execute() {
  const states = [await state(), await state()];
  if (states[0] !== DNBUSY || states[1] !== DNLOAD_IDLE)
    throw new Error(`states ${states}`);
}

async function command(code, address) {
  const bytes = Buffer.alloc(5);
  bytes.writeUInt8(code, 0);
  bytes.writeUInt32LE(address, 1);
  await out(DNLOAD, 0, new Uint8Array(bytes));
  await execute();
}

async function flash(data) {
  await toIdle();
  for (let at = 0; at < data.length; at += SECTOR)
    await command(0x41, FLASH + at);
  await command(0x21, FLASH);
  for (let at = 0; at < data.length; at += BLOCK) {
    await out(DNLOAD, 2 + at / BLOCK, new Uint8Array(data.subarray(at, at + BLOCK)));
    await execute();
  }
  await toIdle();
}

async function read(size) {
  const parts = [];
  await toIdle();
  await command(0x21, FLASH);
  await toIdle();
  for (let at = 0; at < size; at += BLOCK)
    parts.push(await input(UPLOAD, 2 + at / BLOCK, Math.min(BLOCK, size - at)));
  await toIdle();
  return Buffer.concat(parts);
}

async function main() {
  const [folder, what, file, length] = process.argv.slice(2);
  const { WebUSB } = require(path.join(folder, 'node_modules', 'usb'));
  const usb = new WebUSB({ allowAllDevices: true, deviceTimeout: 20000 });
  const devices = await usb.getDevices();
  const hex = (n) => n.toString(16).padStart(4, '0');

  if (what === 'list') {
    for (const d of devices)
      console.log(`${hex(d.vendorId)}:${hex(d.productId)} ${d.serialNumber}`);
    return;
  }
  device = devices.find((d) => d.vendorId === 0x0483 && d.productId === 0xdf11);
  await device.open();
  if (device.configuration === null)
    await device.selectConfiguration(1);
  await device.claimInterface(0);
  await device.selectAlternateInterface(0, 0);
  if (what === 'flash')
    await flash(fs.readFileSync(file));
  else
    fs.writeFileSync(file, await read(Number(length)));
  await device.releaseInterface(0);
  await device.close();
}

main().then(() => process.exit(0), (error) => {
  console.error(error);
  process.exit(1);
});
