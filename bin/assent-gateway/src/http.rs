//! The HTTP requests.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use assent_program::{ConnectionPermit, Peer, counted_address};
use axum::{
    Extension, Router,
    body::{Body, Bytes, to_bytes},
    extract::{Request, State, ws::WebSocketUpgrade},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{any, get, post},
};
use tokio::time::timeout;

use crate::{
    api::Api,
    caller_socket, links,
    metrics::GatewayMetrics,
    page::PageFile,
    rpc::{CallContext, Incoming, error::RpcError, error_text, openrpc},
};

/// After how many seconds a caller asks again when the gateway has too much to do.
const BUSY_SECONDS: &str = "1";
/// How long a request's body may take to arrive.
const LONGEST_ARRIVAL: Duration = Duration::from_secs(10);

/// Returns the routes.
pub(crate) fn router(api: Api) -> Router {
    Router::new()
        .route("/", post(call).get(socket))
        .route("/ws", any(socket))
        .route("/operators", any(operator))
        .route("/healthz", get(health))
        .route("/openrpc.json", get(document))
        .route("/page", get(|api| page(api, PageFile::Markup)))
        .route("/page/page.css", get(|api| page(api, PageFile::Style)))
        .route("/page/page.js", get(|api| page(api, PageFile::Script)))
        .route("/page/replay.js", get(|api| page(api, PageFile::Replay)))
        .fallback(|| async {
            let routes = "POST / for JSON-RPC, /ws, /operators, /healthz, /metrics, /openrpc.json and /page\n";
            (StatusCode::NOT_FOUND, format!("there is {routes}"))
        })
        .layer(middleware::from_fn_with_state(api.clone(), allow_origins))
        .with_state(api)
}

/// Returns the route of the metrics.
pub(crate) fn metrics_router(metrics: Arc<GatewayMetrics>) -> Router {
    Router::new().route("/metrics", get(show_metrics)).with_state(metrics)
}

async fn call(State(api): State<Api>, Extension(Peer(peer)): Extension<Peer>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let Some(caller) = api.callers.identify(&parts.headers, peer.ip()) else {
        api.service.metrics.count_refusal("unauthorized");
        let unauthorized = json(StatusCode::UNAUTHORIZED, error_text(&RpcError::unauthorized()));
        return ([(header::WWW_AUTHENTICATE, "Bearer")], unauthorized).into_response();
    };
    // Before the body is read: who asks too often costs little.
    if let Err(wait) = api.limiter.take(&caller, 1, Instant::now()) {
        return limited(&api, wait);
    }
    if !is_json(&parts.headers) {
        let error = RpcError::invalid_request("the header Content-Type is not application/json");
        return json(StatusCode::UNSUPPORTED_MEDIA_TYPE, error_text(&error));
    }
    let most = api.service.limits.max_body;
    let body = match timeout(LONGEST_ARRIVAL, to_bytes(body, most)).await {
        Ok(Ok(body)) => body,
        Ok(Err(_)) => return json(StatusCode::PAYLOAD_TOO_LARGE, error_text(&RpcError::too_long(most))),
        Err(_) => {
            let error = RpcError::invalid_request("the body did not arrive in time");
            return json(StatusCode::REQUEST_TIMEOUT, error_text(&error));
        }
    };
    let incoming = match Incoming::parse(&body, api.service.limits.max_batch) {
        Ok(incoming) => incoming,
        Err(error) => return json(StatusCode::OK, error_text(&error)),
    };
    // One call is paid for.
    let further = u32::try_from(incoming.len().saturating_sub(1)).unwrap_or(u32::MAX);
    if further > 0
        && let Err(wait) = api.limiter.take(&caller, further, Instant::now())
    {
        return limited(&api, wait);
    }
    let context = CallContext { caller, subscriptions: None };
    match incoming.answer(&api.service, &context).await {
        Some(answer) if answer.is_busy => {
            let answer = json(StatusCode::TOO_MANY_REQUESTS, Bytes::from_owner(answer.text));
            ([(header::RETRY_AFTER, BUSY_SECONDS)], answer).into_response()
        }
        // It is held until the last byte is sent.
        Some(answer) => json(StatusCode::OK, Bytes::from_owner(answer.text)),
        None => StatusCode::NO_CONTENT.into_response(),
    }
}

async fn socket(
    State(api): State<Api>,
    Extension(Peer(peer)): Extension<Peer>,
    Extension(permit): Extension<ConnectionPermit>,
    headers: HeaderMap,
    upgrade: WebSocketUpgrade,
) -> Response {
    // Browsers let every page open a WebSocket: the server has to compare.
    let origin = headers.get(header::ORIGIN).map(|origin| origin.to_str().unwrap_or_default());
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    if origin.is_some_and(|origin| !api.allows(origin) && !api.is_own(origin, host)) {
        return (StatusCode::FORBIDDEN, "pages of this origin may not ask; see cors-origins\n").into_response();
    }
    let Some(caller) = api.callers.identify(&headers, peer.ip()) else {
        return (StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, "Bearer")]).into_response();
    };
    if let Err(wait) = api.limiter.take(&format!("socket of {caller}"), 1, Instant::now()) {
        return limited(&api, wait);
    }
    // Behind a proxy, the connection itself was not counted for the caller.
    let Ok(share) = api.sockets.take(counted_address(api.callers.origin(&headers, peer.ip())), 1) else {
        api.service.metrics.refused_connections.inc();
        let retry = [(header::RETRY_AFTER, BUSY_SECONDS)];
        return (StatusCode::TOO_MANY_REQUESTS, retry, "the address has too many connections\n").into_response();
    };
    caller_socket::accept(upgrade, api, caller, (permit, share))
}

async fn operator(
    State(api): State<Api>,
    Extension(Peer(peer)): Extension<Peer>,
    headers: HeaderMap,
    upgrade: WebSocketUpgrade,
) -> Response {
    // A stranger's proof costs as much to refuse as an operator's to accept.
    let dialler = api.callers.dialler(&headers, peer.ip());
    if let Err(wait) = api.limiter.take(&dialler, 1, Instant::now()) {
        return limited(&api, wait);
    }
    let address = counted_address(api.callers.origin(&headers, peer.ip()));
    links::accept(upgrade, api.service.driver.clone(), &api.links, address)
}

async fn health(State(api): State<Api>) -> Response {
    let health = api.service.health().await;
    let status = if health.is_ok() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    json(status, serde_json::to_string(&health).unwrap_or_default())
}

async fn show_metrics(State(metrics): State<Arc<GatewayMetrics>>) -> Response {
    match metrics.text() {
        Ok(text) => {
            let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
            ([(header::CONTENT_TYPE, kind)], text).into_response()
        }
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

async fn page(State(api): State<Api>, file: PageFile) -> Response {
    match &api.page {
        Some(page) => page.serve(file),
        None => (StatusCode::NOT_FOUND, "the page is switched off; see the option page\n").into_response(),
    }
}

async fn document() -> Response {
    json(StatusCode::OK, openrpc::document().to_owned())
}

/// Returns the answer to a caller that asks too often.
fn limited(api: &Api, wait: Duration) -> Response {
    api.service.metrics.count_limited();
    let seconds = wait.as_secs().saturating_add(1);
    let answer = json(StatusCode::TOO_MANY_REQUESTS, error_text(&RpcError::rate_limited(seconds)));
    ([(header::RETRY_AFTER, seconds.to_string())], answer).into_response()
}

/// Lets pages of the allowed origins ask (CORS).
async fn allow_origins(State(api): State<Api>, request: Request, next: Next) -> Response {
    let origin = request.headers().get(header::ORIGIN).cloned();
    let is_preflight =
        request.method() == Method::OPTIONS && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    let allowed = origin.filter(|origin| origin.to_str().is_ok_and(|origin| api.allows(origin)));
    let mut response = match (is_preflight, &allowed) {
        (false, _) => next.run(request).await,
        (true, None) => StatusCode::FORBIDDEN.into_response(),
        (true, Some(_)) => preflight(),
    };
    if let Some(origin) = allowed {
        let headers = response.headers_mut();
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("retry-after"));
    }
    // The answer depends on it, also if it is missing.
    response.headers_mut().append(header::VARY, HeaderValue::from_static("origin"));
    response
}

fn preflight() -> Response {
    let headers: [(HeaderName, &str); 3] = [
        (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, POST"),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, "authorization, content-type"),
        (header::ACCESS_CONTROL_MAX_AGE, "3600"),
    ];
    (StatusCode::NO_CONTENT, headers).into_response()
}

fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    kind.eq_ignore_ascii_case("application/json")
}

fn json(status: StatusCode, text: impl Into<Body>) -> Response {
    let headers = [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")];
    (status, headers, text.into()).into_response()
}
