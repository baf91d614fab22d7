// SPDX-License-Identifier: GPL-2.0-or-later
// The application's serial port by the npm package serialport: serial_port.js FOLDER, which has it in node_modules
'use strict';
const { SerialPort } = require(`${process.argv[2]}/node_modules/serialport`);

async function main() {
  for (const port of await SerialPort.list()) {
    if (port.vendorId) console.log(port.path, `${port.vendorId}:${port.productId}`, port.serialNumber);
  }
  const port = new SerialPort({ path: '/dev/ttyACM0', baudRate: 115200 });
  let got = '';

  port.on('error', (mistake) => { throw mistake; });
  port.on('open', () => port.write('by node'));
  port.on('data', (data) => {
    got += data;
    if (got !== 'by node') return;
    port.get((mistake, lines) => {
      if (mistake) throw mistake;
      console.log(`cts ${lines.cts}, dsr ${lines.dsr}`);
      port.close(() => console.log('done'));
    });
  });
}

main();
