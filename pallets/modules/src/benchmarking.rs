//! Benchmarks: each call at its worst. None has a component in the number of modules, types or patterns on the chain.
//!
//! The worst name to find a type for has as many words and labels as a name can have, each word under a start with as
//! many patterns as there can be, each namespace with as many patterns as it can have, and none that matches.

use alloc::{format, string::String, vec, vec::Vec};

use ensemble_core::{
    modules::{OnModuleTransferred, OnRoleChanged, MAX_VALIDATOR_TYPES, UNKNOWN},
    stake::OnModuleRemoved,
};
use frame_benchmarking::v2::*;
use frame_support::traits::{fungible::Balanced, tokens::Precision, EnsureOrigin};
use frame_system::RawOrigin;
use sp_core::H256;
use sp_runtime::{
    traits::{One, Saturating},
    DispatchError,
};

use super::{
    names::{MAX_LABELS, MAX_WORDS},
    patterns::Rule,
    *,
};

type Benched<R = ()> = Result<R, BenchmarkError>;

/// As long as every part may be.
fn profile(description: u8) -> NewProfile {
    let domain = "a".repeat(60);
    NewProfile {
        endpoint: format!("https://{domain}.example.com/{}", "%20".repeat(15)).into_bytes(),
        metadata: H256::repeat_byte(1),
        description: vec![description; 256],
        implementation: Some(H256::repeat_byte(2)),
    }
}

fn pay_for<T: Config>(who: &T::AccountId) {
    let length_one = T::PriceCurve::get().quote(0, T::PriceCurve::get().cap);
    let amount = length_one.deposit.saturating_add(length_one.burn).saturating_mul(16);
    drop(T::Currency::deposit(who, amount, Precision::Exact));
}

/// Registers a module on a quiet chain for somebody who can pay.
pub(crate) fn new_module<T: Config>(owner: &T::AccountId, name: &[u8]) -> Result<(), DispatchError> {
    pay_for::<T>(owner);
    NameDemand::<T>::kill();
    Pallet::<T>::do_register(owner.clone(), name, profile(b'a'), Balance::MAX)
}

fn owner<T: Config>() -> T::AccountId {
    account("owner", 0, 0)
}

fn registered<T: Config>(name: &str) -> Benched<ModuleId> {
    let id = NextModuleId::<T>::get();
    new_module::<T>(&owner::<T>(), name.as_bytes())?;
    Ok(id)
}

/// A rule that begins like a word and matches nothing that is registered here.
fn rule(start: &str, number: u32) -> Benched<Rule> {
    let text = format!("{start}{number:0>28}");
    let pattern = Pattern::parse(text.as_bytes()).map_err(|_| "no pattern")?;
    Ok(Rule { pattern, model_type: defaults::CHAT })
}

fn rules<Max: Get<u32>>(start: &str, count: u32) -> Benched<BoundedVec<Rule, Max>> {
    let rules = (0..count).map(|number| rule(start, number)).collect::<Benched<Vec<_>>>()?;
    Ok(BoundedVec::truncate_from(rules))
}

/// The words of the worst name: `aaa`, `bbb` and so on.
fn words() -> Vec<(Vec<u8>, char)> {
    let letters = ('a'..='z').take(MAX_WORDS);
    letters.enumerate().map(|(at, letter)| (vec![letter as u8; if at == 0 { 4 } else { 3 }], letter)).collect()
}

/// The worst name: all labels, all words, all bytes.
fn worst_name() -> String {
    let per_label = MAX_WORDS / MAX_LABELS;
    let words: Vec<String> = words().into_iter().map(|(word, _)| String::from_utf8_lossy(&word).into_owned()).collect();
    words.chunks(per_label).map(|label| label.join("-")).collect::<Vec<_>>().join(".")
}

/// Registers the namespaces of the worst name, and fills everything with patterns.
fn fill<T: Config>() -> Benched<String> {
    for (_, letter) in words() {
        let start = format!("{letter}{letter}");
        let full = rules::<T::MaxPatternsPerStart>(&start, T::MaxPatternsPerStart::get())?;
        Patterns::<T>::insert(Start::try_from(start.as_bytes()).map_err(|_| "no start")?, full);
    }
    let name = worst_name();
    let dots: Vec<usize> = name.match_indices('.').map(|(at, _)| at).collect();
    for dot in dots {
        let namespace = name.get(..dot).ok_or("no namespace")?;
        registered::<T>(namespace)?;
        let full = rules::<T::MaxNamespacePatterns>("zz", T::MaxNamespacePatterns::get())?;
        NamespacePatterns::<T>::insert(names::key(namespace.as_bytes()), full);
    }
    Ok(name)
}

/// A module with the worst name and as many dependencies and dependents as make work.
fn worst_module<T: Config>() -> Benched<ModuleId> {
    let name = fill::<T>()?;
    let id = registered::<T>(&name)?;
    // Its type changes.
    Modules::<T>::mutate_extant(id, |module| module.model_type = defaults::CHAT);
    ModulesOfType::<T>::remove(UNKNOWN, names::key(name.as_bytes()));
    ModulesOfType::<T>::insert(defaults::CHAT, names::key(name.as_bytes()), id);
    Ok(id)
}

/// The module plays this part, and whoever hears of what becomes of it has as much to do as can be.
fn play<T: Config>(id: ModuleId, role: Role) {
    Modules::<T>::mutate_extant(id, |module| module.role = role.clone());
    T::OnRoleChanged::prepare_role_for_benchmark(id, &role);
}

fn basis<T: Config>(count: u32, of: &str) -> Benched<Vec<ModuleId>> {
    (0..count).map(|number| registered::<T>(&format!("basis-{of}-{number}"))).collect()
}

fn build<T: Config>(id: ModuleId, on: Vec<ModuleId>) -> Benched {
    Pallet::<T>::do_set_dependencies(owner::<T>(), id, on).map_err(|failed| failed.error)?;
    Ok(())
}

/// A module built on as many others as can be, with another that is built on it.
fn connected_module<T: Config>() -> Benched<ModuleId> {
    let id = worst_module::<T>()?;
    build::<T>(id, basis::<T>(T::MaxDependencies::get(), "of-it")?)?;
    let above = registered::<T>("above-it")?;
    build::<T>(above, vec![id])?;
    Ok(id)
}

/// As many modules as can be declared, with others below them, `count` in all: in layers, each module built on as many
/// of the next layer as it may, so that the walk meets as many edges as there can be.
fn layers<T: Config>(count: u32) -> Benched<Vec<ModuleId>> {
    let width = T::MaxDependencies::get();
    let top = basis::<T>(width.min(count), "top")?;
    let below = basis::<T>(count.saturating_sub(width), "below")?;
    // The module itself and the top are two layers.
    let most_layers = index(T::MaxDepth::get().saturating_sub(2).max(1));
    let size = below.len().div_ceil(most_layers).max(index(width));
    let layers: Vec<&[ModuleId]> = core::iter::once(&top[..]).chain(below.chunks(size)).collect();
    for (layer, next) in layers.iter().zip(layers.iter().skip(1)) {
        for (at, id) in layer.iter().enumerate() {
            let begin = at.saturating_mul(index(width));
            let on: Vec<_> =
                next.iter().cycle().skip(begin % next.len()).take(index(width).min(next.len())).copied().collect();
            Dependencies::<T>::insert(id, DependenciesOf::<T>::truncate_from(on));
        }
    }
    Ok(top)
}

fn index(count: u32) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}

fn count(rules: &[Rule]) -> u32 {
    u32::try_from(rules.len()).unwrap_or(u32::MAX)
}

fn worst_pattern() -> Vec<u8> {
    // Not among those of `rules`, and before them, so that all of them move.
    format!("aa{:0>29}", 0).into_bytes()
}

fn registry<T: Config>() -> Benched<T::RuntimeOrigin> {
    T::RegistryOrigin::try_successful_origin().map_err(|()| BenchmarkError::Weightless)
}

fn offered<T: Config>(id: ModuleId) -> Benched<T::AccountId> {
    let to: T::AccountId = account("buyer", 0, 0);
    pay_for::<T>(&to);
    Pallet::<T>::do_offer_transfer(owner::<T>(), id, to.clone())?;
    Ok(to)
}

#[benchmarks]
mod benchmarks {
    use super::*;

    #[benchmark]
    fn register() -> Result<(), BenchmarkError> {
        let name = fill::<T>()?;
        pay_for::<T>(&owner::<T>());
        // As long ago as makes every step of the power.
        let factor = T::PriceCurve::get().cap;
        NameDemand::<T>::put(Demand { factor, at: BlockNumberFor::<T>::one() });
        frame_system::Pallet::<T>::set_block_number(u32::from(u16::MAX).saturating_add(1).into());

        #[extrinsic_call]
        _(RawOrigin::Signed(owner::<T>()), name.clone().into_bytes(), profile(b'b'), Balance::MAX);

        assert!(Pallet::<T>::module_by_name(name.as_bytes()).is_some());
        Ok(())
    }

    #[benchmark]
    fn update() -> Result<(), BenchmarkError> {
        let id = worst_module::<T>()?;
        play::<T>(id, Role::Miner);

        #[extrinsic_call]
        _(RawOrigin::Signed(owner::<T>()), id, profile(b'b'));

        assert_eq!(Modules::<T>::get(id).map(|module| module.model_type), Some(UNKNOWN));
        Ok(())
    }

    #[benchmark]
    fn remove() -> Result<(), BenchmarkError> {
        let id = connected_module::<T>()?;
        let key = names::key(worst_name().as_bytes());
        let full = rules::<T::MaxNamespacePatterns>("zz", T::MaxNamespacePatterns::get())?;
        NamespacePatterns::<T>::insert(key, full);
        T::OnRemoved::prepare_removal_for_benchmark(id);

        #[extrinsic_call]
        _(RawOrigin::Signed(owner::<T>()), id);

        assert!(!Modules::<T>::contains_key(id));
        Ok(())
    }

    /// Replaces as many dependencies of a module by as many others; the new pipeline has `n` modules.
    #[benchmark]
    fn set_dependencies(
        n: Linear<{ Pallet::<T>::least_walked() }, { T::MaxPipeline::get() }>,
    ) -> Result<(), BenchmarkError> {
        let id = registered::<T>("a-module")?;
        build::<T>(id, basis::<T>(T::MaxDependencies::get(), "before")?)?;
        let on = layers::<T>(n.saturating_sub(1))?;

        #[extrinsic_call]
        _(RawOrigin::Signed(owner::<T>()), id, on.clone());

        assert_eq!(Dependencies::<T>::get(id).map(BoundedVec::into_inner), Some(on));
        assert_eq!(Pallet::<T>::pipeline(id).map(|pipeline| pipeline::size(&pipeline)), Ok(n));
        Ok(())
    }

    /// A validator of `n` types judges as many others; without any, a miner stops being one.
    #[benchmark]
    fn set_role(n: Linear<0, { MAX_VALIDATOR_TYPES }>) -> Result<(), BenchmarkError> {
        let id = registered::<T>("a-module")?;
        while u32::from(NextType::<T>::get()) <= 2 * MAX_VALIDATOR_TYPES {
            Pallet::<T>::do_add_type(format!("type-{}", NextType::<T>::get()).as_bytes())?;
        }
        let validator = |first: ModelType| Role::Validator {
            types: BoundedVec::truncate_from((first..).take(n as usize).collect()),
            capacity: 10,
        };
        let (before, role) = match n {
            0 => (Role::Miner, Role::Idle),
            _ => (validator(1), validator(9)),
        };
        play::<T>(id, before);

        #[extrinsic_call]
        _(RawOrigin::Signed(owner::<T>()), id, role.clone());

        assert_eq!(Modules::<T>::get(id).map(|module| module.role), Some(role));
        Ok(())
    }

    /// A validator of `n` types, or a module that plays no part, becomes a miner.
    #[benchmark]
    fn become_miner(n: Linear<0, { MAX_VALIDATOR_TYPES }>) -> Result<(), BenchmarkError> {
        let id = registered::<T>("a-module")?;
        while u32::from(NextType::<T>::get()) <= MAX_VALIDATOR_TYPES {
            Pallet::<T>::do_add_type(format!("type-{}", NextType::<T>::get()).as_bytes())?;
        }
        let before = match n {
            0 => Role::Idle,
            _ => Role::Validator { types: BoundedVec::truncate_from((1..).take(n as usize).collect()), capacity: 10 },
        };
        play::<T>(id, before);

        #[extrinsic_call]
        set_role(RawOrigin::Signed(owner::<T>()), id, Role::Miner);

        assert_eq!(Modules::<T>::get(id).map(|module| module.role), Some(Role::Miner));
        Ok(())
    }

    #[benchmark]
    fn offer_transfer() -> Result<(), BenchmarkError> {
        let id = registered::<T>("a-module")?;
        let to: T::AccountId = account("buyer", 0, 0);

        #[extrinsic_call]
        _(RawOrigin::Signed(owner::<T>()), id, to.clone());

        assert_eq!(Modules::<T>::get(id).and_then(|module| module.offered_to), Some(to));
        Ok(())
    }

    #[benchmark]
    fn accept_transfer() -> Result<(), BenchmarkError> {
        let id = registered::<T>("a-module")?;
        let to = offered::<T>(id)?;
        T::OnTransferred::prepare_transfer_for_benchmark(id);

        #[extrinsic_call]
        _(RawOrigin::Signed(to.clone()), id);

        assert_eq!(Modules::<T>::get(id).map(|module| module.owner), Some(to));
        Ok(())
    }

    #[benchmark]
    fn cancel_transfer() -> Result<(), BenchmarkError> {
        let id = registered::<T>("a-module")?;
        offered::<T>(id)?;

        #[extrinsic_call]
        _(RawOrigin::Signed(owner::<T>()), id);

        assert_eq!(Modules::<T>::get(id).and_then(|module| module.offered_to), None);
        Ok(())
    }

    #[benchmark]
    fn refresh_type() -> Result<(), BenchmarkError> {
        let id = worst_module::<T>()?;
        play::<T>(id, Role::Miner);

        #[extrinsic_call]
        _(RawOrigin::Signed(account("anyone", 0, 0)), id);

        assert_eq!(Modules::<T>::get(id).map(|module| module.model_type), Some(UNKNOWN));
        Ok(())
    }

    #[benchmark]
    fn add_type() -> Result<(), BenchmarkError> {
        let origin = registry::<T>()?;
        let number = NextType::<T>::get();

        #[extrinsic_call]
        _(origin as T::RuntimeOrigin, vec![b'a'; 32]);

        assert!(Types::<T>::contains_key(number));
        Ok(())
    }

    #[benchmark]
    fn add_pattern() -> Result<(), BenchmarkError> {
        let origin = registry::<T>()?;
        let most = T::MaxPatternsPerStart::get();
        Patterns::<T>::insert(b"aa", rules::<T::MaxPatternsPerStart>("aa", most.saturating_sub(1))?);

        #[extrinsic_call]
        _(origin as T::RuntimeOrigin, worst_pattern(), defaults::CHAT);

        assert_eq!(count(&Patterns::<T>::get(b"aa")), most);
        Ok(())
    }

    #[benchmark]
    fn remove_pattern() -> Result<(), BenchmarkError> {
        let origin = registry::<T>()?;
        let most = T::MaxPatternsPerStart::get();
        let rules = rules::<T::MaxPatternsPerStart>("aa", most)?;
        let pattern = rules.first().ok_or("no rule")?.pattern.as_bytes().to_vec();
        Patterns::<T>::insert(b"aa", rules);

        #[extrinsic_call]
        _(origin as T::RuntimeOrigin, pattern);

        assert_eq!(count(&Patterns::<T>::get(b"aa")), most.saturating_sub(1));
        Ok(())
    }

    #[benchmark]
    fn add_namespace_pattern() -> Result<(), BenchmarkError> {
        let id = registered::<T>("a-module")?;
        let most = T::MaxNamespacePatterns::get();
        for number in 1..most {
            let pattern = rule("aa", number)?.pattern;
            Pallet::<T>::do_add_namespace_pattern(owner::<T>(), id, pattern.as_bytes(), defaults::CHAT)?;
        }

        #[extrinsic_call]
        _(RawOrigin::Signed(owner::<T>()), id, worst_pattern(), defaults::CHAT);

        assert_eq!(count(&NamespacePatterns::<T>::get(names::key(b"a-module"))), most);
        Ok(())
    }

    #[benchmark]
    fn remove_namespace_pattern() -> Result<(), BenchmarkError> {
        let id = registered::<T>("a-module")?;
        let most = T::MaxNamespacePatterns::get();
        for number in 0..most {
            let pattern = rule("aa", number)?.pattern;
            Pallet::<T>::do_add_namespace_pattern(owner::<T>(), id, pattern.as_bytes(), defaults::CHAT)?;
        }
        let first = rule("aa", 0)?.pattern.as_bytes().to_vec();

        #[extrinsic_call]
        _(RawOrigin::Signed(owner::<T>()), id, first);

        assert_eq!(count(&NamespacePatterns::<T>::get(names::key(b"a-module"))), most.saturating_sub(1));
        Ok(())
    }

    /// Frees `n` names and finds no more.
    #[benchmark]
    fn free_names(n: Linear<1, { T::MaxReleases::get() }>) -> Result<(), BenchmarkError> {
        for number in 0..n {
            Pallet::<T>::reserve(names::key(format!("a-name-{number}").as_bytes()));
        }
        let now = frame_system::Pallet::<T>::block_number().saturating_add(T::NameDelay::get());

        #[block]
        {
            Pallet::<T>::free_names(now, Weight::MAX);
        }

        assert_eq!(ReleaseQueue::<T>::get().first, u64::from(n));
        Ok(())
    }

    impl_benchmark_test_suite!(Pallet, crate::mock::new_test_ext(), crate::mock::Test);
}
