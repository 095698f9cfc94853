//! The reason codes of status: what each means and what to do about it. They are stable: scripts may rely on them.
//!
//! Flux's own reasons are passed on as they are; those that a person is likely to meet are explained here too.

/// A reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reason {
    /// The code.
    pub code: &'static str,
    /// What it means.
    pub meaning: &'static str,
    /// What to do.
    pub help: &'static str,
}

const fn reason(code: &'static str, meaning: &'static str, help: &'static str) -> Reason {
    Reason { code, meaning, help }
}

/// Reasons of the chain's links.
pub const OURS: &[Reason] = &[
    reason(
        "FieldsDiffer",
        "fields of an object are not as published",
        "see who wrote them: kubectl get KIND WORKLOAD -o yaml --show-managed-fields; the parent puts its own back at its next run",
    ),
    reason(
        "FolderMissing",
        "what the tag holds has no folder of this environment: Flux applies nothing and removes nothing",
        "push the inventory of this environment again, and see who moved the tag: kubectl runway inventory show",
    ),
    reason(
        "ForeignOwner",
        "an object belongs to another parent, or to none",
        "see its labels kustomize.toolkit.fluxcd.io/name and /namespace; two inventories must not have the same workload",
    ),
    reason(
        "GenerationNotLookedAt",
        "the spec was changed, and its controller has not looked at it",
        "wait; when it stays, see whether the controller runs: kubectl -n flux-system get pods",
    ),
    reason("Incomplete", "what is published has only one of the two objects", "build and push the inventory again"),
    reason(
        "NewRevision",
        "there is a newer revision that was not fetched or applied yet",
        "wait for the interval, or: kubectl runway reconcile WORKLOAD",
    ),
    reason(
        "NoArtifact",
        "the source has nothing in storage",
        "see the source's events: flux events --for OCIRepository/WORKLOAD",
    ),
    reason(
        "NoParent",
        "which runtime and environment a cluster has cannot be seen: there is no parent",
        "say it with --runtime and -e, or install the parent: kubectl runway bootstrap",
    ),
    reason("NotDeclared", "it is published, and not in workloads.yml any more", "push the inventory, or add the workload again"),
    reason("NotFound", "it is in no inventory and no declared file", "see the spelling, the runtime and the environment"),
    reason("NotLookedAt", "its controller has not looked at it yet", "wait; when it stays, see whether the controller runs"),
    reason("NotOwned", "the parent has not applied it, although it is there", "see who made it, and let the parent run"),
    reason(
        "NotPublished",
        "it is declared or on the cluster, and the inventory that the tag holds does not have it",
        "see what the last push did: kubectl runway inventory diff; then push the inventory",
    ),
    reason(
        "ObjectAbsent",
        "one of the two objects is not on the cluster",
        "let the parent run: kubectl runway reconcile WORKLOAD --with-parent",
    ),
    reason("ObjectFailed", "an applied object has failed (kstatus)", "see the object: kubectl runway tree WORKLOAD"),
    reason(
        "ObjectInProgress",
        "an applied object is not there yet (kstatus), such as a rollout whose Pods do not run",
        "see its Pods: kubectl runway tree WORKLOAD",
    ),
    reason("ObjectMissing", "an applied object was deleted by hand", "let Flux put it back: kubectl runway reconcile WORKLOAD"),
    reason(
        "OtherTag",
        "the cluster's parent follows another tag than the environment that was asked about",
        "see whether this is the right cluster, or leave -e out: then the parent's own tag is asked about",
    ),
    reason("Suspended", "spec.suspend is set", "resume it: flux resume source oci WORKLOAD, flux resume kustomization WORKLOAD"),
    reason(
        "TagNotFound",
        "the deploy tag is not in the registry",
        "push the deploy artifact: kubectl runway deploy push WORKLOAD",
    ),
    reason("Terminating", "an object is being deleted", "see its finalizers; something may keep it from going"),
];

/// Reasons for which a cluster gives no answer, or none about one kind.
pub const CLUSTER: &[Reason] = &[
    reason("Conflict", "the object was changed meanwhile", "try again"),
    reason(
        "ConnectionClosed",
        "the server ended the connection in mid-answer",
        "try again; see what stands between, such as a proxy",
    ),
    reason(
        "ConnectionRefused",
        "nothing listens at the server's address",
        "see the address in the kubeconfig, and the tunnel or VPN",
    ),
    reason("DNS", "the server's name is not known", "see the address in the kubeconfig, and the network or VPN"),
    reason("ExecPlugin", "the program that the kubeconfig names for the login failed", "run it by hand, or log in again"),
    reason("Expired", "the list changed too much while it was read", "try again"),
    reason("Forbidden", "the user may not read it", "ask for the permission that is named, or act as somebody who has it (--as)"),
    reason(
        "Garbage",
        "what answers is no Kubernetes API server",
        "see the address in the kubeconfig; a login page may stand between",
    ),
    reason("Kubeconfig", "the context cannot be used", "see the kubeconfig: kubectl config view --context NAME --minify"),
    reason("NotInstalled", "the cluster does not have the kind", "install Flux: flux check"),
    reason("Proxy", "the proxy did not let us through", "see HTTPS_PROXY, NO_PROXY and proxy-url in the kubeconfig"),
    reason("Refused", "the server refused the question", "see its own words"),
    reason("ServerError", "the server has a fault of its own (5xx)", "try again; see its own words"),
    reason(
        "TLS",
        "the server's certificate is not trusted, or it speaks no TLS",
        "give --certificate-authority, or see the address",
    ),
    reason("TimedOut", "there was no answer in time", "see the network or VPN; --request-timeout gives it longer"),
    reason("TooLarge", "the answer is larger than any that makes sense", "see what is in the namespace"),
    reason("TooManyRequests", "the server has too much to do (429)", "try again later"),
    reason(
        "Unauthorized",
        "the login is wrong or over (401)",
        "log in again; with the same context this must work first: kubectl get namespaces",
    ),
    reason("Unreachable", "the network leads nowhere", "see the network or VPN"),
];

/// Flux's own.
pub const FLUX: &[Reason] = &[
    reason(
        "AccessDenied",
        "the source is in another namespace, which the controller does not allow",
        "put the source beside its Kustomization",
    ),
    reason(
        "ArtifactFailed",
        "the source's artifact cannot be had, or has no such path",
        "compare spec.path with what is in it: flux pull artifact oci://REPOSITORY:TAG --output FOLDER",
    ),
    reason("AuthenticationFailed", "a Secret of the source cannot be used", "see the Secret's name, type and keys"),
    reason("BuildFailed", "the manifests cannot be built", "build them here: kubectl runway deploy verify WORKLOAD"),
    reason("DependencyNotReady", "a workload that it depends on is not Ready", "see that one: kubectl runway explain NAME"),
    reason("HealthCheckCanceled", "a newer revision came while the health was awaited", "wait"),
    reason("HealthCheckFailed", "applied, and not healthy in time", "see the objects: kubectl runway tree WORKLOAD"),
    reason(
        "OCIArtifactLayerOperationFailed",
        "the artifact's layer cannot be read",
        "push it again: kubectl runway deploy push WORKLOAD",
    ),
    reason(
        "OCIArtifactPullFailed",
        "the registry did not hand the artifact out: wrong login (401, 403), no such tag (404), or no answer",
        "see the pull Secret and the tag",
    ),
    reason("Progressing", "a run is under way", "wait"),
    reason(
        "PruneFailed",
        "an object that is not published any more cannot be deleted",
        "see the object's finalizers and the controller's permissions",
    ),
    reason(
        "ReconciliationFailed",
        "the API server refused what was applied",
        "see its own words; to ask it beforehand: kubectl apply --dry-run=server -f FILE",
    ),
    reason("ReconciliationSucceeded", "applied", "nothing"),
    reason("Succeeded", "fetched", "nothing"),
    reason("URLInvalid", "the source's url is none", "see the source's url in workloads.yml and the settings"),
    reason("VerificationError", "the signature is missing or wrong", "sign the artifact, or see spec.verify"),
];

/// The reason of this code.
pub fn of(code: &str) -> Option<&'static Reason> {
    all().find(|reason| reason.code.eq_ignore_ascii_case(code))
}

/// All of them.
pub fn all() -> impl Iterator<Item = &'static Reason> {
    OURS.iter().chain(CLUSTER).chain(FLUX)
}
