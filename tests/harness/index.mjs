/** Networks of real nodes for tests, the demo and the benchmarks. */

export { TUNE, balance, pairOf, wellKnown } from './accounts.mjs';
export { Voter, submitAuthorized } from './ballots.mjs';
export { BINARY, command, failing } from './binary.mjs';
export { Contributors } from './contributors.mjs';
export { converted } from './convert.mjs';
export { gguf, tinyContent, tinyModel } from './gguf.mjs';
export { Ticket, buy, buyCall, found, inAsset, scored } from './market.mjs';
export { asked, imported } from './models.mjs';
export { PROFILE, modelTypes, moduleView, register, registerCall, registered, search } from './modules.mjs';
export { assertIssuanceIsTold, assertMoneyAddsUp } from './money.mjs';
export { Network } from './network.mjs';
export { npy } from './npy.mjs';
export { Program } from './program.mjs';
export { Referendum, standard } from './referenda.mjs';
export { refused } from './refusals.mjs';
export { SMOLLM2, smollm2 } from './smollm2.mjs';
export { Space } from './spaces.mjs';
export { poolOf, stakeOn } from './stake.mjs';
export {
  ONE,
  allocations,
  checksDrawn,
  clock,
  closedEpoch,
  commitCall,
  dutiesOf,
  eachBlock,
  epochClosed,
  judging,
  minerView,
  minersOf,
  phaseReached,
  resultOf,
  revealCall,
  seal,
  validatorView,
} from './subnet.mjs';
export { DEFAULTS, Task, commitmentOf, createCall, tensorContent } from './tasks.mjs';
export { KINDS, Tensor, encodedLength, headerBytes, idOf, proofHolds, rowLength } from './tensor.mjs';
export { DispatchError, blockReached, nameOf, send, sendAsRoot } from './transactions.mjs';
export { Hopeless, inTime, until } from './wait.mjs';
