//! A deployment, and the attestations that its operators have signed.

use crate::{Attested, AttestedPlan, Deployment, Foundation, WorldPlan};
use std::{cell::RefCell, collections::HashMap, ops::Deref, rc::Rc};

/// A [`Deployment`] that signs each attestation once, since signing takes far longer than deciding.
pub struct World {
    deployment: Deployment,
    attested: RefCell<HashMap<AttestedPlan, Rc<Attested>>>,
}

impl World {
    /// Builds a world on a foundation by its plan.
    pub fn new(plan: &WorldPlan, foundation: Rc<Foundation>) -> Self {
        Self { deployment: Deployment::new(plan, foundation), attested: RefCell::default() }
    }

    /// What operators attest by a plan.
    pub fn attested(&self, plan: &AttestedPlan) -> Rc<Attested> {
        if let Some(attested) = self.attested.borrow().get(plan) {
            return Rc::clone(attested);
        }
        let attested = Rc::new(plan.carry_out(self));
        self.attested.borrow_mut().insert(plan.clone(), Rc::clone(&attested));
        attested
    }
}

impl Deref for World {
    type Target = Deployment;

    fn deref(&self) -> &Deployment {
        &self.deployment
    }
}
