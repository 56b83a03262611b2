//! Whether a contract approved a payment (ERC-1271).
//!
//! The approval of a contract is its address followed by what its `isValidSignature` takes as signature.

use assent_json::{Object, Value};
use sha3::{Digest, Keccak256};

wit_bindgen::generate!({ path: "../../../../crates/internal/policy-data/wit", world: "policy-data" });

use assent::policy_data::chain;

/// `payApproved(address,address,uint256,bytes)`.
const PAY_APPROVED: &[u8] = b"payApproved(address,address,uint256,bytes)";
/// `isValidSignature(bytes32,bytes)`, which is what it returns, too.
const IS_VALID_SIGNATURE: &str = "1626ba7e";
const DOMAIN: &[u8] = b"EIP712Domain(string name,uint256 chainId,address verifyingContract)";
const NAME: &[u8] = b"Agent session";
const APPROVAL: &[u8] = b"PaymentApproval(address token,address recipient,uint256 amount,uint256 nonce)";
/// An approval of this length is the signature of an account.
const SIGNATURE: usize = 65;

struct Approval;

export!(Approval);

impl Guest for Approval {
    fn observe(request: String) -> Result<String, String> {
        let request = assent_json::parse(request.as_bytes()).map_err(|error| error.to_string())?;
        let output = match Payment::read(&request)? {
            Some(payment) if payment.is_approver(&request) => payment.observe()?,
            _ => Object::default(),
        };
        Ok(Value::Object(output).to_canonical())
    }
}

/// A payment with the approval of a contract.
struct Payment {
    hash: [u8; 32],
    approver: String,
    signature: Vec<u8>,
}

impl Payment {
    /// Reads the call; nothing if it is another one, or has the signature of an account.
    fn read(request: &Value) -> Result<Option<Self>, String> {
        let text = |object: &str, key: &str| {
            let value = request.get(object).and_then(|object| object.get(key)).and_then(Value::as_str);
            value.ok_or(format!("the request has no {key}"))
        };
        let data = bytes(text("intent", "data")?)?;
        let Some(arguments) = data.strip_prefix(&keccak(&[PAY_APPROVED])[..4]) else { return Ok(None) };
        let (Some(payment), Some([offset, length])) = (arguments.get(..96), words(arguments, 96)) else {
            return Ok(None);
        };
        let length = usize::try_from(length).map_err(|_| "the approval is too long")?;
        let approval = arguments.get(160..).and_then(|rest| rest.get(..length));
        let Some(approval) = approval.filter(|_| offset == 128 && length > SIGNATURE) else { return Ok(None) };
        let (approver, signature) = approval.split_at(20);
        let domain = keccak(&[
            &keccak(&[DOMAIN]),
            &keccak(&[NAME]),
            &word(text("intent", "chain_id")?)?,
            &[0; 12],
            &bytes(text("task", "client")?)?,
        ]);
        let message = keccak(&[&keccak(&[APPROVAL]), payment, &word(text("task", "nonce")?)?]);
        let hash = keccak(&[&[0x19, 0x01], &domain, &message]);
        Ok(Some(Self { hash, approver: hex(approver), signature: signature.to_vec() }))
    }

    /// Returns whether the parameters name the contract. Others are not called.
    fn is_approver(&self, request: &Value) -> bool {
        let approvers =
            request.get("params").and_then(|parameters| parameters.get("approvers")).and_then(Value::as_array);
        let approvers = approvers.unwrap_or_default().iter().filter_map(Value::as_str);
        approvers.into_iter().any(|approver| approver.eq_ignore_ascii_case(&self.approver))
    }

    fn observe(&self) -> Result<Object, String> {
        let mut signature = self.signature.clone();
        signature.resize(self.signature.len().next_multiple_of(32), 0);
        let data = format!(
            "0x{IS_VALID_SIGNATURE}{}{:064x}{:064x}{}",
            &hex(&self.hash)[2..],
            64,
            self.signature.len(),
            &hex(&signature)[2..]
        );
        let mut output = Object::default();
        // A contract that reverts does not approve.
        if let Ok(answer) = chain::call(&self.approver, &data) {
            if answer == format!("0x{IS_VALID_SIGNATURE:0<64}") {
                output.insert("approver", Value::String(self.approver.clone()));
                output.insert("hash", Value::String(hex(&self.hash)));
            }
        }
        Ok(output)
    }
}

fn keccak(parts: &[&[u8]]) -> [u8; 32] {
    let mut hasher = Keccak256::new();
    for part in parts {
        hasher.update(part);
    }
    hasher.finalize().into()
}

/// Reads two words that hold small integers.
fn words(arguments: &[u8], offset: usize) -> Option<[u64; 2]> {
    let small = |offset: usize| {
        let word = arguments.get(offset..)?.first_chunk::<32>()?;
        let (zeros, integer) = word.split_at(24);
        zeros.iter().all(|byte| *byte == 0).then_some(u64::from_be_bytes(integer.try_into().ok()?))
    };
    Some([small(offset)?, small(offset + 32)?])
}

/// Returns the word of a decimal integer.
fn word(decimal: &str) -> Result<[u8; 32], String> {
    let mut word = [0_u8; 32];
    for digit in decimal.chars() {
        let mut carry = digit.to_digit(10).ok_or("an integer is not decimal")?;
        for byte in word.iter_mut().rev() {
            let value = u32::from(*byte) * 10 + carry;
            *byte = (value & 0xff) as u8;
            carry = value >> 8;
        }
        if carry > 0 {
            return Err("an integer has more than 256 bits".to_owned());
        }
    }
    Ok(word)
}

fn bytes(text: &str) -> Result<Vec<u8>, String> {
    let digits = text.strip_prefix("0x").ok_or("bytes without 0x")?.as_bytes();
    let nibble = |digit: &u8| char::from(*digit).to_digit(16).ok_or("bytes are not hexadecimal");
    let pairs = digits.chunks(2).map(|pair| match pair {
        [high, low] => Ok((nibble(high)? * 16 + nibble(low)?) as u8),
        _ => Err("an odd number of digits"),
    });
    pairs.collect::<Result<_, _>>().map_err(str::to_owned)
}

fn hex(bytes: &[u8]) -> String {
    let digits = bytes.iter().map(|byte| format!("{byte:02x}"));
    format!("0x{}", digits.collect::<String>())
}
