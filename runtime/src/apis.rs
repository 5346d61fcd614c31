//! What the node and the outside may ask of the runtime.

use alloc::vec::Vec;

use codec::Encode;
use ensemble_core::{
    emission::{Allocation, Closed, EpochView, Supply},
    epochs::Epochs,
    exchange::{Asker, Received, Refusal, Title, Ways},
    inference::{ModelView, Quote, SessionView, WorkerView},
    market::{self, Cost, Cursor, ListingView, SaleView, StakeInSale, Stats, TicketId, TicketView, Way},
    matching::{MinerView, Status, TestCase, ValidatorView},
    modules::{ModuleView, NameError, NamePrice, Page, Pipeline, PipelineError, Query},
    scores::{Duties, ResultView, Sealed},
    spaces::{Member, PastRound, RoundIndex, RoundView, Settled, SpaceView},
    stake::{PoolView, StakeView},
    tasks::{Obligation, TaskView},
    validators::{CandidateView, EraView},
    AttesterId, EpochIndex, EraIndex, ModelId, ModelType, ModuleId, SessionId, SpaceId, TaskId,
};
use ensemble_tensor::TensorId;
use frame_support::{
    genesis_builder_helper::{build_state, get_preset},
    traits::{
        fungible::Inspect,
        tokens::{Fortitude, Preservation},
        KeyOwnerProofSystem,
    },
    weights::Weight,
};
use sp_api::impl_runtime_apis;
use sp_authority_discovery::AuthorityId as AuthorityDiscoveryId;
use sp_consensus_babe::{AuthorityId as BabeId, BabeConfiguration, Slot};
use sp_consensus_grandpa::{AuthorityId as GrandpaId, AuthorityList, SetId};
use sp_core::{crypto::KeyTypeId, OpaqueMetadata, H256};
use sp_inherents::{CheckInherentsResult, InherentData};
use sp_runtime::{
    traits::{Block as BlockT, Get, NumberFor},
    transaction_validity::{TransactionSource, TransactionValidity},
    ApplyExtrinsicResult, ExtrinsicInclusionMode, FixedU128, Permill,
};
use sp_session::OpaqueGeneratedSessionKeys;
use sp_version::RuntimeVersion;

use crate::{
    configs::BABE_GENESIS_EPOCH_CONFIG, genesis, AccountId, AuthorityDiscovery, Babe, Balance, Balances, Block,
    BlockNumber, Emission, Exchange, Executive, Grandpa, Historical, Inference, InherentDataExt, Market, Matching,
    Modules, Nonce, Runtime, RuntimeCall, RuntimeGenesisConfig, Scores, SessionKeys, Spaces, Stake, System, Tasks,
    TransactionPayment, Validators, VERSION,
};

impl_runtime_apis! {
    impl sp_api::Core<Block> for Runtime {
        fn version() -> RuntimeVersion {
            VERSION
        }

        fn execute_block(block: <Block as BlockT>::LazyBlock) {
            Executive::execute_block(block);
        }

        fn initialize_block(header: &<Block as BlockT>::Header) -> ExtrinsicInclusionMode {
            Executive::initialize_block(header)
        }
    }

    impl sp_api::Metadata<Block> for Runtime {
        fn metadata() -> OpaqueMetadata {
            OpaqueMetadata::new(Runtime::metadata().into())
        }

        fn metadata_at_version(version: u32) -> Option<OpaqueMetadata> {
            Runtime::metadata_at_version(version)
        }

        fn metadata_versions() -> Vec<u32> {
            Runtime::metadata_versions()
        }
    }

    impl frame_support::view_functions::runtime_api::RuntimeViewFunction<Block> for Runtime {
        fn execute_view_function(
            id: frame_support::view_functions::ViewFunctionId,
            input: Vec<u8>,
        ) -> Result<Vec<u8>, frame_support::view_functions::ViewFunctionDispatchError> {
            Runtime::execute_view_function(id, input)
        }
    }

    impl sp_block_builder::BlockBuilder<Block> for Runtime {
        fn apply_extrinsic(extrinsic: <Block as BlockT>::Extrinsic) -> ApplyExtrinsicResult {
            Executive::apply_extrinsic(extrinsic)
        }

        fn finalize_block() -> <Block as BlockT>::Header {
            Executive::finalize_block()
        }

        fn inherent_extrinsics(data: InherentData) -> Vec<<Block as BlockT>::Extrinsic> {
            data.create_extrinsics()
        }

        fn check_inherents(block: <Block as BlockT>::LazyBlock, data: InherentData) -> CheckInherentsResult {
            data.check_extrinsics(&block)
        }
    }

    impl sp_transaction_pool::runtime_api::TaggedTransactionQueue<Block> for Runtime {
        fn validate_transaction(
            source: TransactionSource,
            tx: <Block as BlockT>::Extrinsic,
            block_hash: <Block as BlockT>::Hash,
        ) -> TransactionValidity {
            Executive::validate_transaction(source, tx, block_hash)
        }
    }

    impl sp_offchain::OffchainWorkerApi<Block> for Runtime {
        fn offchain_worker(header: &<Block as BlockT>::Header) {
            Executive::offchain_worker(header)
        }
    }

    impl sp_consensus_babe::BabeApi<Block> for Runtime {
        fn configuration() -> BabeConfiguration {
            let epoch_config = Babe::epoch_config().unwrap_or(BABE_GENESIS_EPOCH_CONFIG);
            BabeConfiguration {
                slot_duration: Babe::slot_duration(),
                epoch_length: <Runtime as pallet_babe::Config>::EpochDuration::get(),
                c: epoch_config.c,
                authorities: Babe::authorities().to_vec(),
                randomness: Babe::randomness(),
                allowed_slots: epoch_config.allowed_slots,
            }
        }

        fn current_epoch_start() -> Slot {
            Babe::current_epoch_start()
        }

        fn current_epoch() -> sp_consensus_babe::Epoch {
            Babe::current_epoch()
        }

        fn next_epoch() -> sp_consensus_babe::Epoch {
            Babe::next_epoch()
        }

        fn generate_key_ownership_proof(
            _slot: Slot,
            authority: BabeId,
        ) -> Option<sp_consensus_babe::OpaqueKeyOwnershipProof> {
            key_ownership_proof((sp_consensus_babe::KEY_TYPE, authority))
                .map(sp_consensus_babe::OpaqueKeyOwnershipProof::new)
        }

        fn submit_report_equivocation_unsigned_extrinsic(
            equivocation_proof: sp_consensus_babe::EquivocationProof<<Block as BlockT>::Header>,
            key_owner_proof: sp_consensus_babe::OpaqueKeyOwnershipProof,
        ) -> Option<()> {
            Babe::submit_unsigned_equivocation_report(equivocation_proof, key_owner_proof.decode()?)
        }
    }

    impl sp_consensus_grandpa::GrandpaApi<Block> for Runtime {
        fn grandpa_authorities() -> AuthorityList {
            Grandpa::grandpa_authorities()
        }

        fn current_set_id() -> SetId {
            pallet_grandpa::CurrentSetId::<Runtime>::get()
        }

        fn generate_key_ownership_proof(
            _set_id: SetId,
            authority: GrandpaId,
        ) -> Option<sp_consensus_grandpa::OpaqueKeyOwnershipProof> {
            key_ownership_proof((sp_consensus_grandpa::KEY_TYPE, authority))
                .map(sp_consensus_grandpa::OpaqueKeyOwnershipProof::new)
        }

        fn submit_report_equivocation_unsigned_extrinsic(
            equivocation_proof: sp_consensus_grandpa::EquivocationProof<<Block as BlockT>::Hash, NumberFor<Block>>,
            key_owner_proof: sp_consensus_grandpa::OpaqueKeyOwnershipProof,
        ) -> Option<()> {
            Grandpa::submit_unsigned_equivocation_report(equivocation_proof, key_owner_proof.decode()?)
        }
    }

    impl sp_authority_discovery::AuthorityDiscoveryApi<Block> for Runtime {
        fn authorities() -> Vec<AuthorityDiscoveryId> {
            AuthorityDiscovery::authorities()
        }
    }

    impl sp_session::SessionKeys<Block> for Runtime {
        fn generate_session_keys(owner: Vec<u8>, seed: Option<Vec<u8>>) -> OpaqueGeneratedSessionKeys {
            SessionKeys::generate(&owner, seed).into()
        }

        fn decode_session_keys(encoded: Vec<u8>) -> Option<Vec<(Vec<u8>, KeyTypeId)>> {
            SessionKeys::decode_into_raw_public_keys(&encoded)
        }
    }

    impl frame_system_rpc_runtime_api::AccountNonceApi<Block, AccountId, Nonce> for Runtime {
        fn account_nonce(account: AccountId) -> Nonce {
            System::account_nonce(account)
        }
    }

    impl pallet_transaction_payment_rpc_runtime_api::TransactionPaymentApi<Block, Balance> for Runtime {
        fn query_info(
            extrinsic: <Block as BlockT>::Extrinsic,
            len: u32,
        ) -> pallet_transaction_payment_rpc_runtime_api::RuntimeDispatchInfo<Balance> {
            TransactionPayment::query_info(extrinsic, len)
        }

        fn query_fee_details(
            extrinsic: <Block as BlockT>::Extrinsic,
            len: u32,
        ) -> pallet_transaction_payment::FeeDetails<Balance> {
            TransactionPayment::query_fee_details(extrinsic, len)
        }

        fn query_weight_to_fee(weight: Weight) -> Balance {
            TransactionPayment::weight_to_fee(weight)
        }

        fn query_length_to_fee(length: u32) -> Balance {
            TransactionPayment::length_to_fee(length)
        }
    }

    impl pallet_transaction_payment_rpc_runtime_api::TransactionPaymentCallApi<Block, Balance, RuntimeCall>
        for Runtime
    {
        fn query_call_info(call: RuntimeCall, len: u32) -> pallet_transaction_payment::RuntimeDispatchInfo<Balance> {
            TransactionPayment::query_call_info(call, len)
        }

        fn query_call_fee_details(call: RuntimeCall, len: u32) -> pallet_transaction_payment::FeeDetails<Balance> {
            TransactionPayment::query_call_fee_details(call, len)
        }

        fn query_weight_to_fee(weight: Weight) -> Balance {
            TransactionPayment::weight_to_fee(weight)
        }

        fn query_length_to_fee(length: u32) -> Balance {
            TransactionPayment::length_to_fee(length)
        }
    }

    impl ensemble_core::tasks::TasksApi<Block, AccountId, Balance, BlockNumber> for Runtime {
        fn open_tasks(first: TaskId, limit: u32) -> Vec<TaskView<AccountId, Balance, BlockNumber>> {
            Tasks::open_tasks(first, limit)
        }

        fn task(id: TaskId) -> Option<TaskView<AccountId, Balance, BlockNumber>> {
            Tasks::task_view(id)
        }

        fn obligations(account: AccountId, first: TaskId, limit: u32) -> Vec<Obligation<Balance, BlockNumber>> {
            Tasks::obligations(account, first, limit)
        }
    }

    impl ensemble_core::exchange::ExchangeApi<Block, AccountId, BlockNumber> for Runtime {
        fn entitlement(
            asker: Asker<AccountId>,
            task: TaskId,
            content: TensorId,
        ) -> Result<Title<BlockNumber>, Refusal> {
            Exchange::entitlement(&asker, task, content)
        }

        fn received(account: AccountId) -> Vec<Received<BlockNumber>> {
            Exchange::received(&account)
        }

        fn ways(task: TaskId) -> Option<Ways> {
            Exchange::ways(task)
        }
    }

    impl ensemble_core::inference::InferenceApi<Block, AccountId, Balance, BlockNumber> for Runtime {
        fn model(id: ModelId) -> Option<ModelView<AccountId>> {
            Inference::model_view(id)
        }

        fn models(first: ModelId, limit: u32) -> Vec<ModelView<AccountId>> {
            Inference::model_views(first, limit)
        }

        fn worker(account: AccountId) -> Option<WorkerView<AccountId, Balance, BlockNumber>> {
            Inference::worker_view(account)
        }

        fn worker_of_key(key: AttesterId) -> Option<WorkerView<AccountId, Balance, BlockNumber>> {
            Inference::worker_of_key(&key)
        }

        fn workers(model: ModelId, first: u32, limit: u32) -> Vec<WorkerView<AccountId, Balance, BlockNumber>> {
            Inference::worker_views(model, first, limit)
        }

        fn session(id: SessionId) -> Option<SessionView<AccountId, Balance, BlockNumber>> {
            Inference::session_view(id)
        }

        fn sessions(first: SessionId, limit: u32) -> Vec<SessionView<AccountId, Balance, BlockNumber>> {
            Inference::session_views(first, limit)
        }

        fn quote(model: ModelId, positions: u32, workers: u32, replicas: u32) -> Option<Quote<Balance>> {
            Inference::quote(model, positions, workers, replicas)
        }

        fn credits(account: AccountId, model: ModelId) -> Balance {
            Inference::credits_of(&account, model)
        }

        fn funds(account: AccountId) -> Balance {
            Balances::reducible_balance(&account, Preservation::Preserve, Fortitude::Polite)
        }
    }

    impl ensemble_core::spaces::SpacesApi<Block, AccountId, Balance, BlockNumber> for Runtime {
        fn space(id: SpaceId) -> Option<SpaceView<AccountId, Balance, BlockNumber>> {
            Spaces::space_view(id)
        }

        fn spaces(first: SpaceId, limit: u32) -> Vec<SpaceView<AccountId, Balance, BlockNumber>> {
            Spaces::space_views(first, limit)
        }

        fn members(id: SpaceId) -> Vec<Member> {
            Spaces::members_of(id)
        }

        fn rounds(id: SpaceId) -> Vec<RoundView> {
            Spaces::rounds_of(id)
        }

        fn history(id: SpaceId, first: RoundIndex, limit: u32) -> Vec<(RoundIndex, PastRound<BlockNumber>)> {
            Spaces::history_of(id, first, limit)
        }

        fn state(id: SpaceId) -> Option<Settled<BlockNumber>> {
            Spaces::state_of(id)
        }
    }

    impl ensemble_core::modules::ModulesApi<Block, AccountId, Balance, BlockNumber> for Runtime {
        fn module(id: ModuleId) -> Option<ModuleView<AccountId, Balance, BlockNumber>> {
            Modules::module_view(id)
        }

        fn module_by_name(name: Vec<u8>) -> Option<ModuleView<AccountId, Balance, BlockNumber>> {
            Modules::module_by_name(&name)
        }

        fn search(
            query: Query<AccountId>,
            after: Option<Vec<u8>>,
            limit: u32,
        ) -> Page<AccountId, Balance, BlockNumber> {
            Modules::search(query, after, limit)
        }

        fn pipeline(id: ModuleId) -> Result<Pipeline, PipelineError> {
            Modules::pipeline(id)
        }

        fn price(name: Vec<u8>) -> Result<NamePrice<Balance, BlockNumber>, NameError> {
            Modules::price(&name)
        }

        fn type_of_name(name: Vec<u8>) -> Result<ModelType, NameError> {
            Modules::type_of_name(&name)
        }

        fn model_types() -> Vec<(ModelType, Vec<u8>)> {
            Modules::model_types()
        }
    }

    impl ensemble_core::stake::StakeApi<Block, AccountId, Balance, BlockNumber> for Runtime {
        fn pool(module: ModuleId) -> Option<PoolView<Balance, BlockNumber>> {
            Stake::pool_view(module)
        }

        fn stakes(account: AccountId, first: ModuleId, limit: u32) -> Vec<StakeView<Balance, BlockNumber>> {
            Stake::stakes_of(&account, first, limit)
        }
    }

    impl ensemble_core::validators::ValidatorsApi<Block, AccountId, Balance> for Runtime {
        fn candidates(first: u32, limit: u32) -> Vec<CandidateView<AccountId, Balance>> {
            Validators::candidate_views(first, limit)
        }

        fn candidate(module: ModuleId) -> Option<CandidateView<AccountId, Balance>> {
            Validators::candidate_view(module)
        }

        fn era() -> EraView<AccountId, Balance> {
            Validators::era_view()
        }

        fn barred_until(account: AccountId) -> Option<EraIndex> {
            Validators::barred_until(&account)
        }
    }

    impl ensemble_core::matching::MatchingApi<Block, Balance> for Runtime {
        fn miner(module: ModuleId) -> Option<MinerView> {
            Matching::miner_view(module)
        }

        fn validator(module: ModuleId) -> Option<ValidatorView> {
            Matching::validator_view(module)
        }

        fn miners_of(validator: ModuleId, first: u32, limit: u32) -> Vec<ModuleId> {
            Matching::miners_of(validator, first, limit)
        }

        fn test_cases(model_type: ModelType) -> Vec<TestCase> {
            Matching::test_cases(model_type)
        }

        fn truths(model_type: ModelType) -> Vec<(ModuleId, Permill)> {
            Matching::truths(model_type)
        }

        fn status() -> Status<Balance> {
            let supply = Emission::supply();
            Status {
                counts: Matching::counts(),
                epoch: Emission::current(),
                results: Scores::results_kept(),
                listings: pallet_market::CurrentTotals::<Runtime>::get().listed,
                supply: supply.issuance,
                burnt: supply.burnt,
            }
        }
    }

    impl ensemble_core::market::MarketApi<Block, AccountId, Balance, BlockNumber> for Runtime {
        fn search(
            model_type: Option<ModelType>,
            text: Vec<u8>,
            cursor: Option<Cursor>,
            limit: u32,
        ) -> market::Page<AccountId, Balance> {
            Market::search(model_type, &text, cursor, limit)
        }

        fn listing(module: ModuleId) -> Option<ListingView<AccountId, Balance>> {
            Market::listing_view(module)
        }

        fn cost(module: ModuleId, calls: u32, way: Way) -> Option<Cost<Balance>> {
            Market::cost(module, calls, way)
        }

        fn ticket(id: TicketId) -> Option<TicketView<AccountId, BlockNumber>> {
            Market::ticket_view(id)
        }

        fn sale(task: TaskId) -> Option<SaleView<Balance>> {
            Market::sale_view(task)
        }

        fn stake_in_sale(task: TaskId, account: AccountId) -> Option<StakeInSale<Balance>> {
            Market::stake_in_sale(task, &account)
        }

        fn stats() -> Stats<Balance> {
            Market::stats()
        }
    }

    impl ensemble_core::scores::ScoresApi<Block, Balance, BlockNumber> for Runtime {
        fn duties(validator: ModuleId) -> Option<Duties> {
            Scores::duties_of(validator)
        }

        fn result(epoch: EpochIndex, miner: ModuleId) -> Option<ResultView<Balance, BlockNumber>> {
            Scores::result_of(epoch, miner)
        }

        fn results(miner: ModuleId) -> Vec<ResultView<Balance, BlockNumber>> {
            Scores::results_of(miner)
        }

        fn seal(sealed: Sealed) -> H256 {
            Scores::seal(&sealed)
        }
    }

    impl ensemble_core::emission::EmissionApi<Block, Balance, BlockNumber> for Runtime {
        fn epoch() -> EpochView<BlockNumber> {
            Emission::epoch_view()
        }

        fn epochs() -> Vec<Closed<Balance>> {
            Emission::epochs()
        }

        fn allocations(epoch: EpochIndex, first: u32, limit: u32) -> Vec<Allocation<Balance>> {
            Emission::allocations(epoch, first, limit)
        }

        fn allocations_of(module: ModuleId, first: EpochIndex, last: EpochIndex) -> Vec<Allocation<Balance>> {
            Emission::allocations_of(module, first, last)
        }

        fn prospect(module: ModuleId) -> Allocation<Balance> {
            Emission::prospect(module)
        }

        fn supply() -> Supply<Balance> {
            Emission::supply()
        }

        fn apr(module: ModuleId) -> Option<FixedU128> {
            Emission::apr(module)
        }
    }

    impl sp_genesis_builder::GenesisBuilder<Block> for Runtime {
        fn build_state(config: Vec<u8>) -> sp_genesis_builder::Result {
            build_state::<RuntimeGenesisConfig>(config)
        }

        fn get_preset(id: &Option<sp_genesis_builder::PresetId>) -> Option<Vec<u8>> {
            get_preset::<RuntimeGenesisConfig>(id, genesis::preset)
        }

        fn preset_names() -> Vec<sp_genesis_builder::PresetId> {
            genesis::preset_names()
        }
    }

    #[cfg(feature = "runtime-benchmarks")]
    impl frame_benchmarking::Benchmark<Block> for Runtime {
        fn benchmark_metadata(
            extra: bool,
        ) -> (Vec<frame_benchmarking::BenchmarkList>, Vec<frame_support::traits::StorageInfo>) {
            crate::benchmarks::metadata(extra)
        }

        #[allow(non_local_definitions)]
        fn dispatch_benchmark(
            config: frame_benchmarking::BenchmarkConfig,
        ) -> Result<Vec<frame_benchmarking::BenchmarkBatch>, alloc::string::String> {
            crate::benchmarks::dispatch(config)
        }
    }

    #[cfg(feature = "try-runtime")]
    impl frame_try_runtime::TryRuntime<Block> for Runtime {
        fn on_runtime_upgrade(checks: frame_try_runtime::UpgradeCheckSelect) -> (Weight, Weight) {
            let weight = Executive::try_runtime_upgrade(checks).expect("the upgrade keeps the state sound");
            (weight, crate::configs::RuntimeBlockWeights::get().max_block)
        }

        fn execute_block(
            block: <Block as BlockT>::LazyBlock,
            state_root_check: bool,
            signature_check: bool,
            select: frame_try_runtime::TryStateSelect,
        ) -> Weight {
            Executive::try_execute_block(block, state_root_check, signature_check, select)
                .expect("the block executes and keeps the state sound")
        }
    }
}

/// Proves that a session key belongs to a validator of the current session.
fn key_ownership_proof(key: (KeyTypeId, impl Encode)) -> Option<Vec<u8>> {
    let (key_type, authority) = key;
    let proof = <Historical as KeyOwnerProofSystem<(KeyTypeId, Vec<u8>)>>::prove((key_type, authority.encode()))?;
    Some(proof.encode())
}
