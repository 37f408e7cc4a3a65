// The rooms of lib, from the lowest up. A file may import from its own room and from those below,
// and no file may import itself by way of others. Imports of types count, too: a reader of a file
// must know what its types are.
//
//   npx depcruise lib     checks (npm run lint does)
//   npm run layers        draws: which room imports from which

/** Each is a pattern for paths. */
const ROOMS = [
  { name: 'generated', files: '^lib/generated/' },
  { name: 'base', files: '^lib/base/' },
  { name: 'heap', files: '^lib/heap/' },
  { name: 'region', files: '^lib/region/' },
  { name: 'loop', files: '^lib/loop/' },
  { name: 'mutex', files: '^lib/mutex/' },
  { name: 'sync', files: '^lib/sync/' },
  { name: 'containers', files: '^lib/containers/' },
  { name: 'record', files: '^lib/record/' },
  { name: 'codec', files: '^lib/codec/' },
  { name: 'manager', files: '^lib/manager/' },
  { name: 'pools', files: '^lib/pools/' },
  { name: 'channel', files: '^lib/channel/' },
  { name: 'map', files: '^lib/map/' },
  { name: 'queues', files: '^lib/queues/' },
  { name: 'broadcast', files: '^lib/(broadcast|channels)/' },
  { name: 'tasks', files: '^lib/tasks/' },
  { name: 'p2p', files: '^lib/p2p/' },
  // Puts the parts together.
  { name: 'loading', files: '^lib/(load|whole|objects|codecs|exports|exports-bytes)\\.ts$' },
  { name: 'entries', files: '^lib/(electron/|(index|bytes|browser|browser-bytes|browser-codecs|p2p|browser-p2p)\\.ts$)' },
]

const upward = ROOMS.slice(0, -1).map(({ name, files }, level) => ({
  name: `${name}-imports-from-above`,
  comment: `A file of the room '${name}' imports one of a room above it.`,
  severity: 'error',
  from: { path: files },
  to: { path: ROOMS.slice(level + 1).map((above) => above.files) },
}))

module.exports = {
  forbidden: [
    ...upward,
    {
      name: 'circle',
      comment: 'Files import each other in a circle.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'no-room',
      comment: 'A file of lib that stands in none of the rooms above.',
      severity: 'error',
      from: { path: '^lib/', pathNot: ['\\.d\\.ts$', ...ROOMS.map(({ files }) => files)] },
      to: {},
    },
    {
      name: 'unresolved',
      comment: 'An import whose file was not found would escape the rules.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true, // imports of types, which the compiler leaves out
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default', 'types'] },
  },
}
