//! Why the log refuses.

use std::io::ErrorKind;
use std::path::PathBuf;
use std::sync::Arc;

use alloy_primitives::B256;

/// The reason why an operation on the log fails.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TaskLogError {
    /// The log has as many open tasks as its limit permits. Try again later.
    #[error("the log is full: {limit} tasks are open; try again later")]
    Full {
        /// The limit.
        limit: u64,
    },
    /// A task's or an outcome's bytes exceed the limit.
    #[error("{bytes} bytes are too many: the log takes at most {limit}")]
    TooLarge {
        /// The bytes given.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// Too many operations wait for the disk. Try again later.
    #[error("too many operations wait for the log; try again later")]
    Busy,
    /// The lease is no longer the task's: it ended and another gateway claimed it, or the task has ended otherwise.
    #[error("the lease of task {0} is lost")]
    LeaseLost(B256),
    /// The log's server did not answer in time, or refused. Try again later.
    ///
    /// An operation that changes the log may have been carried out: repeated, it is not carried out twice.
    #[error("the log is not available: {0}; try again later")]
    Unavailable(Arc<str>),
    /// The log's disk or stream has no space left. The log goes on when it has.
    #[error("the task log has no space left ({0}); it goes on when it has")]
    NoSpace(Arc<str>),
    /// A read or a write failed. The log in a file opens it again, and takes nothing until that works.
    #[error("the task log failed ({0}); it takes nothing until it works again")]
    Failed(Arc<str>),
}

/// The reason why a log cannot be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Another process has the log open.
    #[error("the task log {0} is in use by another process")]
    InUse(PathBuf),
    /// The file cannot be opened or created, or is damaged.
    #[error("the task log {path}: {error}")]
    Storage {
        /// The file.
        path: PathBuf,
        /// What failed.
        error: Box<redb::Error>,
    },
    /// No server could be reached, or it has no JetStream.
    #[error("the task log's server: {0}")]
    Unreachable(String),
    /// The credentials for the server cannot be used.
    #[error("the credentials for the task log's server: {0}")]
    Credentials(String),
    /// The stream has other settings than a log needs.
    #[error("the stream {stream} is not a task log's: {reason}")]
    OtherStream {
        /// The stream.
        stream: String,
        /// What differs.
        reason: String,
    },
    /// The thread that writes could not be started.
    #[error("the task log's thread: {0}")]
    Thread(#[from] std::io::Error),
}

impl From<redb::Error> for TaskLogError {
    fn from(error: redb::Error) -> Self {
        let reason = error.to_string().into();
        match error {
            redb::Error::Io(error) if matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded) => {
                Self::NoSpace(reason)
            }
            _ => Self::Failed(reason),
        }
    }
}
