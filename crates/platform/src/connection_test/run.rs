//! Runs the stages.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use http::uri::PathAndQuery;
use http::{Method, Request, StatusCode, Uri};
use serde_json::Value;
use tombolo_auth::{ApplyError, Credentials, Selection};
use tombolo_catalog::{CredentialUse, Encoding, Scope, Stage, Template, TemplateError, Text};
use tombolo_egress::{Body, EgressError, Probe, ProbeAnswer, ProbeStage, StageEvent};

use super::judge::{self, Judged};
use super::report::{Details, Outcome, StageReport, TestEvent, TestReport};
use crate::problem::Problem;
use crate::proxy::Plan;

/// Largest answer that a stage reads.
const ANSWER_BYTES: usize = 4 * 1024 * 1024;

/// Runs every stage that applies, telling each as it begins and ends.
pub(crate) async fn run(
    plan: &Arc<Plan>,
    probe: &Probe,
    watch: &mut (dyn FnMut(TestEvent) + Send),
) -> Result<TestReport, Problem> {
    let credentials = plan.sealed.open()?;
    let report = TestReport { available: true, learned: plan.learned.clone(), ..TestReport::default() };
    let mut test =
        Run { plan, credentials, probe, watch, report, way_is_known: false, busy: None, unusable: None };
    for stage in &plan.provider.test {
        if test.applies(stage) {
            test.stage(stage).await;
        }
        if !test.report.available {
            break;
        }
    }
    test.budget();
    match test.unusable {
        Some(error) => Err(unusable_credential(error)),
        None => Ok(test.report),
    }
}

/// Runs one stage for one entry, and nothing else.
pub(super) async fn run_stage_alone(
    plan: &Arc<Plan>,
    probe: &Probe,
    stage: &Stage,
    entry: BTreeMap<String, String>,
    watch: &mut (dyn FnMut(TestEvent) + Send),
) -> Result<StageReport, Problem> {
    let credentials = plan.sealed.open()?;
    let report = TestReport::default();
    let mut test =
        Run { plan, credentials, probe, watch, report, way_is_known: true, busy: None, unusable: None };
    test.step(stage, Some(entry)).await;
    test.report.stages.pop().ok_or_else(|| {
        Problem::invalid(
            "stage_missing",
            "A stage of the connection test did not run",
            "Mend the provider file.",
        )
    })
}

/// Why a stage has no request.
enum NoRequest {
    /// A field that it needs is empty.
    Empty,
    /// The credential cannot be put onto it.
    Unusable(ApplyError),
}

impl NoRequest {
    fn of_credential(error: ApplyError) -> Self {
        match error {
            // There is nothing for this entry, which is no fault of the others.
            ApplyError::NoEntry | ApplyError::NoRequestToken => Self::Empty,
            ApplyError::Header | ApplyError::Value | ApplyError::Missing | ApplyError::Body => {
                Self::Unusable(error)
            }
        }
    }
}

impl From<TemplateError> for NoRequest {
    fn from(_: TemplateError) -> Self {
        Self::Empty
    }
}

fn unusable_credential(error: ApplyError) -> Problem {
    let fix = "Type the credential again: a key is pasted whole, with its first and last line.";
    Problem::invalid("credential_unusable", error.to_string(), fix)
}

struct Run<'a> {
    plan: &'a Arc<Plan>,
    credentials: Credentials,
    probe: &'a Probe,
    watch: &'a mut (dyn FnMut(TestEvent) + Send),
    report: TestReport,
    /// Whether name, connection and TLS have been reported.
    way_is_known: bool,
    /// The last that the vendor said about running requests and its limit.
    busy: Option<(String, String)>,
    /// Set when the credential cannot be put onto a request, so that nothing can be tested with it.
    unusable: Option<ApplyError>,
}

type Entry = BTreeMap<String, String>;

impl Run<'_> {
    fn applies(&self, stage: &Stage) -> bool {
        let wanted = stage.when.as_ref().is_none_or(|field| {
            let gate_is_filled = self
                .plan
                .provider
                .gates
                .iter()
                .any(|gate| gate.fields.get(field).is_some() && self.plan.gates.contains(&gate.kind));
            gate_is_filled || self.plan.config.contains_key(field)
        });
        wanted && stage.applies_to(&self.plan.auth_scheme)
    }

    async fn stage(&mut self, stage: &Stage) {
        let Some(list) = &stage.for_each else {
            return self.step(stage, None).await;
        };
        let values = self.plan.config.get(list).cloned().unwrap_or_default();
        let mut any = false;
        for value in values.split(',').filter(|value| !value.is_empty()) {
            any = true;
            self.step(stage, Some(Entry::from([(list.clone(), value.to_owned())]))).await;
            if self.report.stopped {
                return;
            }
        }
        if !any {
            self.skip(stage, words("There is no value to try it with", "確認に使う値がない"));
        }
    }

    async fn step(&mut self, stage: &Stage, entry: Option<Entry>) {
        let subject = entry.as_ref().and_then(|entry| entry.values().next().cloned());
        let request = match self.request(stage, entry.as_ref()) {
            Ok(request) => request,
            Err(NoRequest::Empty) => {
                return self.skip(stage, words("A field that it needs is empty", "必要な項目が空である"));
            }
            Err(NoRequest::Unusable(error)) => {
                self.unusable = Some(error);
                self.report.available = false;
                return;
            }
        };
        if self.way_is_known {
            self.tell_start(&stage.id, &stage.name, subject.as_deref());
        }
        let started = Instant::now();
        let (answer, events) = self.probe(stage, subject.as_deref(), request).await;
        let micros =
            events.unwrap_or_else(|| u32::try_from(started.elapsed().as_micros()).unwrap_or(u32::MAX));
        let (outcome, judged) = match &answer {
            Ok(answer) => self.judge(stage, entry.as_ref(), answer),
            Err(error) => {
                let id = failed_stage(error.1, &stage.id);
                let judged = judge::failure(self.plan, id, entry.as_ref(), &error.0);
                (
                    Outcome::Failed,
                    Some((judged.row.is_some_and(|row| row.stops), judged.verdict, judged.details)),
                )
            }
        };
        let way_failed = matches!(&answer, Err((_, stage)) if *stage != ProbeStage::Send);
        let (id, name) = match &answer {
            Err((_, probe_stage)) if way_failed => (way_id(*probe_stage).to_owned(), way_name(*probe_stage)),
            _ => (stage.id.clone(), stage.name.clone()),
        };
        let (stops, verdict, details) =
            judged.map_or((false, None, None), |(stops, verdict, details)| (stops, verdict, Some(details)));
        if outcome == Outcome::Failed {
            self.report.available = false;
            self.report.stopped |= stops && self.plan.locks_out;
        }
        let refused = answer.is_ok_and(|answer| is_refusal(answer.status));
        self.remember(stage, subject.as_deref(), outcome, refused);
        self.tell_end(StageReport { stage: id, name, subject, outcome, micros, verdict, details });
    }

    /// Whether the answer is good; for a bad one whether it stops further tries, and what it means.
    fn judge(
        &mut self,
        stage: &Stage,
        entry: Option<&Entry>,
        answer: &ProbeAnswer,
    ) -> (Outcome, Option<(bool, Option<super::report::Verdict>, Details)>) {
        self.note_budget(&answer.headers);
        let (good, body) = judge::accepted(&stage.accept, answer);
        if good {
            if let (Some(learn), Some(body), Some(subject)) =
                (&stage.learn, &body, entry.and_then(|e| e.values().next()))
            {
                let found = companions(&learn.companions, body, subject);
                if !found.is_empty() {
                    self.report.learned.companions.insert(subject.clone(), found);
                }
            }
            return (Outcome::Passed, None);
        }
        let Judged { row, verdict, details } =
            judge::answer(self.plan, &self.credentials, &stage.id, entry, answer, body.as_ref());
        let behind_a_gate = row.and_then(|row| row.gate).is_some_and(|gate| self.plan.gates.contains(&gate));
        if stage.credentials == CredentialUse::None && behind_a_gate {
            let seen = words(
                "A gate answers; its credential is tried next",
                "入口の認証が応答した。次にその認証情報を試す",
            );
            let note = Some(seen);
            return (Outcome::Passed, Some((false, None, Details { note, ..details })));
        }
        let refusal = answer.status.is_client_error() && answer.status != StatusCode::TOO_MANY_REQUESTS;
        let outcome =
            if stage.capability.is_some() && refusal { Outcome::NotPermitted } else { Outcome::Failed };
        let stops = row.is_some_and(|row| row.stops);
        (outcome, Some((stops, verdict, details)))
    }

    fn request(&self, stage: &Stage, entry: Option<&Entry>) -> Result<Request<Body>, NoRequest> {
        let plan = self.plan;
        let scope = Scope { config: Some(&plan.config), entry, answer: None };
        let path = stage.request.path.render(&scope, Encoding::PathSegment)?;
        let path = match &plan.rewrite {
            Some((rule, prefix)) => rule
                .apply(prefix, &stage.request.method, &path)
                .map_or(path.clone(), std::borrow::Cow::into_owned),
            None => path,
        };
        let mut target = format!("{}{path}", plan.base_path());
        for (position, (name, value)) in stage.request.query.iter().enumerate() {
            target.push(if position == 0 { '?' } else { '&' });
            target.push_str(&encode(name));
            target.push('=');
            target.push_str(&encode(&plain(value, &scope)?));
        }
        let mut headers = HeaderMap::new();
        for (name, value) in &stage.request.headers {
            // One whose field is empty is left out, like those that schemes send.
            let Ok(value) = value.render(&scope, Encoding::Text) else { continue };
            let header = HeaderName::from_bytes(name.as_bytes()).ok().zip(HeaderValue::from_str(&value).ok());
            headers.extend(header);
        }
        let mut body = match &stage.request.body {
            Some(body) => Bytes::from(body.to_string()),
            None => Bytes::new(),
        };
        if !body.is_empty() {
            headers.entry(CONTENT_TYPE).or_insert(HeaderValue::from_static("application/json"));
        }
        let method = Method::from_bytes(stage.request.method.as_bytes()).unwrap_or(Method::GET);
        let selection_keys: Vec<String> = entry.into_iter().flat_map(BTreeMap::values).cloned().collect();
        let has_entries = self.credentials.entries().next().is_some();
        let selection = match stage.credentials {
            CredentialUse::None => None,
            CredentialUse::Gate => Some(Selection::GateOnly),
            CredentialUse::All if has_entries && entry.is_some() => Some(Selection::Keys(&selection_keys)),
            CredentialUse::All => Some(Selection::All),
        };
        if let Some(selection) = selection {
            let signing = plan.signing((&method, &method), &target, &body).map_err(|_| NoRequest::Empty)?;
            let applied = plan.authenticator.apply(&self.credentials, selection, &signing, &mut headers);
            let added = applied.map_err(NoRequest::of_credential)?;
            target = added.target(&target).to_string();
            body = added.body.unwrap_or(body);
        }
        headers.entry(ACCEPT).or_insert(HeaderValue::from_static("application/json"));
        let target = PathAndQuery::from_maybe_shared(Bytes::from(target)).map_err(|_| NoRequest::Empty)?;
        let mut request = Request::new(Body::full(body));
        *request.method_mut() = method;
        *request.uri_mut() = Uri::from(target);
        *request.headers_mut() = headers;
        Ok(request)
    }

    /// Sends the request. The first one of a test also reports the way there: name, connection and TLS. The number is
    /// the time from the request to the end of the answer, without the way.
    async fn probe(
        &mut self,
        stage: &Stage,
        subject: Option<&str>,
        request: Request<Body>,
    ) -> (Result<ProbeAnswer, (EgressError, ProbeStage)>, Option<u32>) {
        let plan = self.plan;
        let mut failed_at = ProbeStage::Resolve;
        let mut micros = None;
        let report_way = !self.way_is_known;
        let mut told: Vec<StageReport> = Vec::new();
        let watch = &mut *self.watch;
        let answer = self
            .probe
            .run(plan.route(), request, ANSWER_BYTES, |event| {
                let passed = |stage: ProbeStage, micros: u32, seen: String| StageReport {
                    stage: way_id(stage).to_owned(),
                    name: way_name(stage),
                    subject: None,
                    outcome: Outcome::Passed,
                    micros,
                    verdict: None,
                    details: Some(Details { note: Some(words(&seen, &seen)), ..Details::default() }),
                };
                let ended = match event {
                    StageEvent::Started(ProbeStage::Send) if report_way => {
                        watch(TestEvent::Started {
                            stage: stage.id.clone(),
                            name: stage.name.clone(),
                            subject: subject.map(str::to_owned),
                        });
                        None
                    }
                    StageEvent::Started(way) if report_way => {
                        let (stage, name) = (way_id(way).to_owned(), way_name(way));
                        watch(TestEvent::Started { stage, name, subject: None });
                        None
                    }
                    StageEvent::Started(_) => None,
                    StageEvent::Resolved { addresses, micros } => {
                        let addresses: Vec<String> = addresses.iter().map(ToString::to_string).collect();
                        Some(passed(ProbeStage::Resolve, micros, addresses.join(", ")))
                    }
                    StageEvent::Connected { peer, micros } => {
                        Some(passed(ProbeStage::Connect, micros, peer.to_string()))
                    }
                    StageEvent::Secured { version, micros } => {
                        Some(passed(ProbeStage::Tls, micros, version.to_owned()))
                    }
                    StageEvent::Answered { micros: spent, .. } => {
                        micros = Some(spent);
                        None
                    }
                    StageEvent::Failed { stage, micros: spent, .. } => {
                        failed_at = stage;
                        micros = Some(spent);
                        None
                    }
                };
                if let Some(ended) = ended.filter(|_| report_way) {
                    watch(TestEvent::Ended(Box::new(ended.clone())));
                    told.push(ended);
                }
            })
            .await;
        self.way_is_known = true;
        self.report.stages.extend(told);
        (answer.map_err(|error| (error, failed_at)), micros)
    }

    /// `refused` says that the vendor judged the credential: one that could not be tried is not left out of calls.
    fn remember(&mut self, stage: &Stage, subject: Option<&str>, outcome: Outcome, refused: bool) {
        if let Some(capability) = &stage.capability {
            let subject = subject.unwrap_or_default().to_owned();
            let known = self.report.capabilities.entry(subject).or_default();
            known.insert(capability.clone(), outcome == Outcome::Passed);
        } else if let Some(subject) = subject {
            let entries = &mut self.report.learned.refused_entries;
            entries.retain(|known| known != subject);
            if outcome == Outcome::Failed && refused {
                entries.push(subject.to_owned());
            }
        }
    }

    fn note_budget(&mut self, headers: &HeaderMap) {
        let Some(limit) = &self.plan.provider.limits.concurrency else { return };
        let text = |name: &Option<String>| Some(headers.get(name.as_deref()?)?.to_str().ok()?.to_owned());
        if let Some(pair) = text(&limit.running_header).zip(text(&limit.limit_header)) {
            self.busy = Some(pair);
        }
    }

    /// The last stage: how busy the vendor's host is, as it said itself.
    fn budget(&mut self) {
        let Some((running, limit)) = self.busy.take().filter(|_| self.report.available) else { return };
        let name = words("There is room for requests", "リクエストの余裕がある");
        let (en, ja) = (
            format!("{running} of {limit} running"),
            format!("同時リクエスト {limit} 件中 {running} 件を使用中"),
        );
        let details = Details { note: Some(words(&en, &ja)), ..Details::default() };
        self.tell_start("budget", &name, None);
        self.tell_end(StageReport {
            stage: "budget".to_owned(),
            name,
            subject: None,
            outcome: Outcome::Passed,
            micros: 0,
            verdict: None,
            details: Some(details),
        });
    }

    fn skip(&mut self, stage: &Stage, note: Text) {
        self.tell_start(&stage.id, &stage.name, None);
        self.tell_end(StageReport {
            stage: stage.id.clone(),
            name: stage.name.clone(),
            subject: None,
            outcome: Outcome::Skipped,
            micros: 0,
            verdict: None,
            details: Some(Details { note: Some(note), ..Details::default() }),
        });
    }

    fn tell_start(&mut self, stage: &str, name: &Text, subject: Option<&str>) {
        let (stage, name, subject) = (stage.to_owned(), name.clone(), subject.map(str::to_owned));
        (self.watch)(TestEvent::Started { stage, name, subject });
    }

    fn tell_end(&mut self, report: StageReport) {
        (self.watch)(TestEvent::Ended(Box::new(report.clone())));
        self.report.stages.push(report);
    }
}

/// Whether a status says something about the request, and not about how busy or broken the vendor is.
fn is_refusal(status: StatusCode) -> bool {
    status.is_client_error() && !matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT)
}

/// Words for people in both languages.
fn words(en: &str, ja: &str) -> Text {
    Text { en: en.to_owned(), ja: ja.to_owned() }
}

fn failed_stage(probe: ProbeStage, stage: &str) -> &str {
    if probe == ProbeStage::Send { stage } else { way_id(probe) }
}

fn way_id(stage: ProbeStage) -> &'static str {
    match stage {
        ProbeStage::Resolve => "name",
        ProbeStage::Connect => "connect",
        ProbeStage::Tls => "tls",
        ProbeStage::Send => "send",
    }
}

fn way_name(stage: ProbeStage) -> Text {
    let (en, ja) = match stage {
        ProbeStage::Resolve => ("The name is known", "ホスト名が見つかる"),
        ProbeStage::Connect => ("The host can be reached", "ホストに接続できる"),
        ProbeStage::Tls => ("The connection is secure", "安全な接続である"),
        ProbeStage::Send => ("The host answers", "ホストが応答する"),
    };
    words(en, ja)
}

fn plain(template: &Template, scope: &Scope<'_>) -> Result<String, TemplateError> {
    template.render(scope, Encoding::Text)
}

fn encode(text: &str) -> String {
    use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

/// The values at paths such as `properties.*.lookup.relatedApp.app`, each once, without the subject itself.
fn companions(paths: &[String], body: &Value, subject: &str) -> Vec<String> {
    let mut found = Vec::new();
    for path in paths {
        let mut level = vec![body];
        for step in path.split('.') {
            level = level
                .into_iter()
                .flat_map(|value| match (value, step) {
                    (Value::Object(members), "*") => members.values().collect(),
                    (Value::Array(items), "*") => items.iter().collect(),
                    (Value::Object(members), name) => members.get(name).into_iter().collect::<Vec<_>>(),
                    _ => Vec::new(),
                })
                .collect();
        }
        for value in level {
            let text = match value {
                Value::String(text) => text.clone(),
                Value::Number(number) => number.to_string(),
                _ => continue,
            };
            if text != subject && !found.contains(&text) {
                found.push(text);
            }
        }
    }
    found
}
