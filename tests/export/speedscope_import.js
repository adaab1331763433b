// What speedscope makes of a file: its own importer, out of its own package, without its window.
//
// usage: node speedscope_import.js FOLDER_OF_THE_PACKAGE FILE   ->  JSON on standard output:
//   [{name, unit, total, frames: [{name, file, line, self, total}]}], one for each profile that it found
//
// The package is one script for the browser. Its importer is a module inside, kept under its public name; the script is
// cut before the user interface begins, and hands the module out instead.
const fs = require('fs');
const path = require('path');
const vm = require('vm');

function loadImporter(folder) {
  const release = path.join(folder, 'dist', 'release');
  const bundle = fs.readdirSync(release).find((name) => /^speedscope-\w+\.js$/.test(name));
  const source = fs.readFileSync(path.join(release, bundle), 'utf8');
  const start = source.match(/var \w+=Promise\.resolve\(\)\.then\(\(\)=>\((\w+)\(\),(\w+)\)\);/);
  if (!start || !source.includes('importProfilesFromArrayBuffer')) throw new Error('no importer in ' + bundle);
  const cut = source.slice(0, start.index) + `globalThis.importer=(${start[1]}(),${start[2]});})();`;
  // Whatever the interface wants of a browser, but not the optional parts that the importer looks for by name.
  const absent = new Set(['dcodeIO', 'Long', 'process']);
  const nothing = new Proxy(function () {}, {
    get: (target, key) => (absent.has(key) ? undefined : key === Symbol.toPrimitive ? () => '' : nothing),
    apply: () => nothing,
    construct: () => nothing,
    set: () => true,
  });
  const world = {
    window: nothing, document: nothing, location: nothing, navigator: nothing, localStorage: nothing,
    console: { log() {}, warn() {}, error: console.error }, setTimeout, TextDecoder, TextEncoder,
    URL, ArrayBuffer, Uint8Array, performance, atob, btoa,
  };
  world.self = nothing;
  vm.runInNewContext(cut, world);
  return world.importer;
}

async function main(folder, file) {
  const bytes = fs.readFileSync(file);
  const buffer = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length);
  const group = await loadImporter(folder).importProfilesFromArrayBuffer(path.basename(file), buffer);
  if (!group) throw new Error('speedscope does not know this file');
  const profiles = group.profiles.map((profile) => {
    const frames = [];
    profile.forEachFrame((frame) =>
      frames.push({ name: frame.name, file: frame.file, line: frame.line, self: frame.getSelfWeight(),
                    total: frame.getTotalWeight() }));
    return { name: profile.getName(), unit: profile.getWeightUnit(), total: profile.getTotalNonIdleWeight(), frames };
  });
  process.stdout.write(JSON.stringify(profiles));
}

main(process.argv[2], process.argv[3]).catch((error) => {
  console.error(error);
  process.exit(1);
});
