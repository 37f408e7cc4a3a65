// sabway/p2p in pages and their workers: the same, as what they load with it is.
export * from './p2p.js'
