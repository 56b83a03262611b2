//! How often each caller can ask: a bucket of tokens for each, which fills at a constant rate.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// The most callers that are remembered. Those whose bucket is full need no memory.
const REMEMBERED_CALLERS: usize = 65_536;

/// The buckets of all callers.
pub(crate) struct RateLimiter {
    rate: f64,
    burst: f64,
    buckets: Mutex<HashMap<String, Bucket>>,
}

#[derive(Clone, Copy)]
struct Bucket {
    tokens: f64,
    at: Instant,
}

impl RateLimiter {
    pub(crate) fn new(rate: u32, burst: u32) -> Self {
        Self { rate: rate.into(), burst: burst.into(), buckets: Mutex::default() }
    }

    /// Takes a caller's tokens for some calls. If it has too few, returns after how long it has enough.
    pub(crate) fn take(&self, caller: &str, calls: u32, now: Instant) -> Result<(), Duration> {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= REMEMBERED_CALLERS && !buckets.contains_key(caller) {
            buckets.retain(|_, bucket| self.tokens(*bucket, now) < self.burst);
            if buckets.len() >= REMEMBERED_CALLERS {
                // So many callers at once are one: the oldest entries would otherwise be forgotten, and filled again.
                return Err(Duration::from_secs(1));
            }
        }
        let bucket = buckets.entry(caller.to_owned()).or_insert(Bucket { tokens: self.burst, at: now });
        let tokens = self.tokens(*bucket, now);
        let needed = f64::from(calls);
        if tokens >= needed {
            *bucket = Bucket { tokens: tokens - needed, at: now };
            return Ok(());
        }
        *bucket = Bucket { tokens, at: now };
        Err(Duration::try_from_secs_f64((needed - tokens) / self.rate).unwrap_or(Duration::from_secs(1)))
    }

    fn tokens(&self, bucket: Bucket, now: Instant) -> f64 {
        let elapsed = now.saturating_duration_since(bucket.at).as_secs_f64();
        (bucket.tokens + elapsed * self.rate).min(self.burst)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_caller_has_its_own_bucket_that_fills_again() {
        let limiter = RateLimiter::new(2, 4);
        let start = Instant::now();
        for _ in 0..4 {
            assert_eq!(limiter.take("alice", 1, start), Ok(()));
        }
        assert_eq!(limiter.take("alice", 1, start), Err(Duration::from_millis(500)));
        assert_eq!(limiter.take("bob", 4, start), Ok(()));
        let later = start + Duration::from_millis(1000);
        assert_eq!(limiter.take("alice", 2, later), Ok(()));
        assert_eq!(limiter.take("alice", 1, later), Err(Duration::from_millis(500)));
        // It holds no more than a burst.
        assert!(limiter.take("alice", 5, start + Duration::from_secs(3600)).is_err());
    }

    #[test]
    fn the_memory_of_callers_is_bounded() {
        let limiter = RateLimiter::new(1, 1);
        let start = Instant::now();
        for number in 0..REMEMBERED_CALLERS {
            assert_eq!(limiter.take(&number.to_string(), 1, start), Ok(()));
        }
        assert!(limiter.take("one more", 1, start).is_err());
        // Who has not asked for a while is forgotten.
        assert_eq!(limiter.take("one more", 1, start + Duration::from_secs(2)), Ok(()));
    }
}
