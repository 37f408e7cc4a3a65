// What a manager of peers has under names of the window, and which arguments it refuses.
import assert from 'node:assert/strict'
import { P2PLoopback, P2PManager } from 'sabway/p2p'
import { throwsError } from '../support/errors.js'
import { bound, bytes, closeGames, engine, game, read } from './game.js'

afterEach(closeGames)

describe('what a manager exposes', () => {
  it('has the queues by their numbers, and the calls', async () => {
    const { manager, pass } = bound(game())
    const [alice, bob] = [await manager('alice', { channels: 8 }), await manager('bob')]
    const scope = {} as { WavedashP2PChannelQueues: unknown[]; WavedashJS: P2PManager }
    alice.expose(scope)
    assert.equal(scope.WavedashP2PChannelQueues.length, 8)
    assert.equal(scope.WavedashP2PChannelQueues[3], alice.getP2PChannelQueue(3))
    assert.equal(scope.WavedashP2PChannelQueues[8], undefined)
    assert.equal(scope.WavedashJS.getP2PChannelQueue(2), alice.getP2PChannelQueue(2))
    engine(alice, 2).outgoing.write('', 0, bytes(4))
    assert.equal(scope.WavedashJS.sendP2PMessage(null, 2, true), true)
    await pass()
    assert.deepEqual(read(bob, 2), [4])
    bob.broadcast(1, true, bytes(6))
    await pass()
    assert.deepEqual(scope.WavedashJS.readP2PMessagesOnChannel(1, 5)[0]!.data, bytes(6))
    alice.close()
    assert.deepEqual(Object.keys(scope), [])
  })

  it('has names of the program, and takes none that is taken', async () => {
    const { manager } = bound(game())
    const alice = await manager('alice')
    const scope = { sdk: 1 }
    const taken = () => alice.expose(scope, { queues: 'queues', sdk: 'sdk' })
    throwsError(taken, 'ERR_SABWAY_INVALID_STATE', /'sdk' is taken there/)
    assert.deepEqual(Object.keys(scope), ['sdk'])
    const conceal = alice.expose(scope, { queues: 'queues', sdk: 'calls' })
    assert.deepEqual(Object.keys(scope), ['sdk', 'queues', 'calls'])
    conceal()
    assert.deepEqual(Object.keys(scope), ['sdk'])
    throwsError(() => alice.expose(1 as never), 'ERR_SABWAY_INVALID_TYPE', /scope must be an object/)
    throwsError(() => alice.expose({}, { sdk: '' }), 'ERR_SABWAY_INVALID_ARGUMENT', /sdk must have 1 to 200/)
    throwsError(() => alice.expose({}, { sdk: 'a', queues: 'a' }), 'ERR_SABWAY_INVALID_STATE', /'a' is taken/)
  })
})

describe('arguments of a manager of peers', () => {
  const odd = (value: unknown) => value as never

  it('are refused with what was expected', async () => {
    const { hub, manager } = bound(game())
    const alice = await manager('alice')
    const make = (options: object) => () =>
      new P2PManager({ transport: hub.connect(`${Math.random()}`), ...options } as never)
    throwsError(() => new P2PManager(odd(undefined)), 'ERR_SABWAY_INVALID_TYPE', /transport must be an object/)
    throwsError(make({ transport: null }), 'ERR_SABWAY_INVALID_TYPE', /transport must be an object/)
    throwsError(make({ transport: { id: 'a' } }), 'ERR_SABWAY_INVALID_TYPE', /transport must be an object/)
    throwsError(make({ channels: 65 }), 'ERR_SABWAY_OUT_OF_RANGE', /channels must be an integer from 1 to 64/)
    throwsError(make({ queue: { single: true } }), 'ERR_SABWAY_INVALID_ARGUMENT', /unknown option 'single'/)
    throwsError(make({ batch: 'all' }), 'ERR_SABWAY_INVALID_ARGUMENT', /batch must be one of 'none', 'frame'/)
    throwsError(make({ limits: { malformed: -1 } }), 'ERR_SABWAY_OUT_OF_RANGE', /limits.malformed must be/)
    throwsError(make({ frameInterval: -1 }), 'ERR_SABWAY_OUT_OF_RANGE', /frameInterval must be/)
    throwsError(make({ now: 1 }), 'ERR_SABWAY_INVALID_TYPE', /now must be a function/)
    throwsError(make({ peers: 1 }), 'ERR_SABWAY_INVALID_ARGUMENT', /unknown option 'peers'/)
    throwsError(() => hub.connect('a'.repeat(33)), 'ERR_SABWAY_INVALID_ARGUMENT', /id must have at most 32 bytes/)
    throwsError(
      () => alice.getP2PChannelQueue(64),
      'ERR_SABWAY_OUT_OF_RANGE',
      /channel must be an integer from 0 to 63/,
    )
    throwsError(() => alice.sendP2PMessage(odd(1), 0, true), 'ERR_SABWAY_INVALID_TYPE', /target must be the id of a/)
    throwsError(() => alice.sendP2PMessage('b', odd('0'), true), 'ERR_SABWAY_INVALID_TYPE', /channel must be a number/)
    throwsError(() => alice.sendP2PMessage('b', 0, odd(1)), 'ERR_SABWAY_INVALID_TYPE', /reliable must be true or/)
    throwsError(() => alice.broadcast(0, true, odd([1])), 'ERR_SABWAY_INVALID_TYPE', /must be a Uint8Array/)
    throwsError(() => alice.readP2PMessagesOnChannel(0, -1), 'ERR_SABWAY_OUT_OF_RANGE', /most must be/)
    throwsError(() => alice.sendEachFrame(0, true, odd(5)), 'ERR_SABWAY_INVALID_TYPE', /target must be the id/)
    throwsError(() => new P2PLoopback({ loss: 2 }), 'ERR_SABWAY_OUT_OF_RANGE', /loss must be from 0 to 1/)
    throwsError(() => new P2PLoopback({ delay: -1 }), 'ERR_SABWAY_OUT_OF_RANGE', /delay must be/)
  })
})
