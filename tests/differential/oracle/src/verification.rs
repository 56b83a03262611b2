//! Decisions about calls.

use crate::{
    failure::{Failure, agreed},
    interface::IVerifierOracle::{self, Case, OperatorTables, Verdict, verifyCall},
};
use alloy_primitives::{B256, Bytes};
use alloy_sol_types::SolValue;
use assent_verifier::{
    Call, Context, Epoch, EpochId, Intent, OperatorSet, OperatorSetId, Policy, RecordedRoot, RecordedRoots,
    SpentNonces,
    backend::{Backend, arkworks::Arkworks, blst::Blst},
    verify_with_report_using,
};

pub(crate) fn verify(call: &verifyCall) -> Result<Vec<Verdict>, Failure> {
    // Validating the operators' keys takes longer than a verification, so a request's cases share them.
    let operators = call.tables.iter().enumerate().map(|(index, tables)| operators(index, tables));
    let operators = operators.collect::<Result<Vec<_>, _>>()?;
    call.cases.iter().map(|case| verdict(case, &operators)).collect()
}

fn verdict(case: &Case, operators: &[OperatorSet]) -> Result<Verdict, Failure> {
    let context = context(&case.circumstances, operators)?;
    let IVerifierOracle::Call { isTrailing, value, data, intent, authorization } = &case.call;
    if *isTrailing {
        return examine(&context, Call::Trailing { value: *value, calldata: data });
    }
    let intent = Intent::abi_decode_validate(intent)?;
    examine(&context, Call::Explicit { intent: &intent, authorization })
}

fn examine(context: &Context, call: Call<'_>) -> Result<Verdict, Failure> {
    agreed(verdict_of::<Arkworks>(context, call), verdict_of::<Blst>(context, call))
}

fn verdict_of<B: Backend>(context: &Context, call: Call<'_>) -> Verdict {
    match verify_with_report_using::<B, _>(context, call).into_result() {
        Ok(verified) => Verdict { taskId: verified.attestation().taskId, refusal: Bytes::new() },
        Err(refusal) => Verdict { taskId: B256::ZERO, refusal: refusal.revert_data().into() },
    }
}

fn operators(index: usize, tables: &OperatorTables) -> Result<OperatorSet, Failure> {
    OperatorSet::from_tables(&tables.head, &tables.earlier).map_err(|error| Failure::OperatorTables { index, error })
}

fn context(circumstances: &IVerifierOracle::Circumstances, operators: &[OperatorSet]) -> Result<Context, Failure> {
    let epochs = circumstances.epochs.iter().map(|epoch| self::epoch(epoch, operators));
    let mut recorded_roots = RecordedRoots::default();
    for root in &circumstances.recordedRoots {
        let recorded =
            RecordedRoot { signed_weight: root.signedWeight, total_weight: root.totalWeight, epoch_end: root.epochEnd };
        recorded_roots.record(EpochId(root.epoch), root.root, recorded);
    }
    let mut spent = SpentNonces::default();
    for word in &circumstances.spentWords {
        spent.burn(word.policyClient, word.word, word.mask);
    }
    Ok(Context {
        chain_id: circumstances.chainId,
        task_manager: circumstances.taskManager,
        policy_client: circumstances.policyClient,
        policy: Some(Policy::abi_decode_validate(&circumstances.policy)?),
        issuance_floor: circumstances.issuanceFloor,
        caller: circumstances.caller,
        timestamp: circumstances.timestamp,
        epochs: epochs.collect::<Result<_, _>>()?,
        recorded_roots,
        spent,
    })
}

fn epoch(epoch: &IVerifierOracle::Epoch, operators: &[OperatorSet]) -> Result<Epoch, Failure> {
    let tables = usize::try_from(epoch.tables).ok().and_then(|tables| operators.get(tables));
    let operators = tables.ok_or(Failure::NoSuchTables { epoch: EpochId(epoch.number), tables: epoch.tables })?.clone();
    Ok(Epoch {
        number: EpochId(epoch.number),
        operator_set: OperatorSetId(epoch.operatorSet),
        valid_until: epoch.validUntil,
        operators,
    })
}
