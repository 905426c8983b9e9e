// Runs jsii's kernel in this process. The program that jsii ships starts a second Node and forwards every message to
// it, which costs a start, and two hops for each message. Here the second program runs at once, with its channel on
// standard input and output.
//
// node --preserve-symlinks runtime.js <jsii's embedded folder>
"use strict";
const fs = require("fs");
const path = require("path");
const { Writable } = require("stream");
const threads = require("worker_threads");

const [, , embedded] = process.argv;
const CHANNEL = 3; // file descriptor, in the kernel's program
const { readSync, writeSync } = fs;

// What programs print goes to standard error, one line of JSON each, as jsii expects it.
function print(stream, data) {
  writeSync(2, `${JSON.stringify({ [stream]: Buffer.from(data).toString("base64") })}\n`);
  return data.length;
}
function printing(stream) {
  return new Writable({
    write(data, _, done) {
      print(stream, data);
      done();
    },
  });
}

fs.readSync = (from, ...rest) => readSync(from === CHANNEL ? 0 : from, ...rest);
fs.writeSync = (to, data, ...rest) => {
  if (to === 1 || to === 2) return print(to === 1 ? "stdout" : "stderr", data);
  return writeSync(to === CHANNEL ? 1 : to, data, ...rest);
};
const stdout = printing("stdout");
const stderr = Object.assign(printing("stderr"), { fd: 2 });
Object.defineProperty(process, "stdout", { get: () => stdout });
Object.defineProperty(process, "stderr", { get: () => stderr });

// jsii's Python package renames `lib/program.js` to `lib__program.js`, and other files likewise.
threads.Worker = class extends threads.Worker {
  constructor(file, options) {
    super(fs.existsSync(file) ? file : path.join(embedded, `lib__${path.basename(file)}`), options);
  }
};

require(path.join(embedded, "lib__program.js"));
