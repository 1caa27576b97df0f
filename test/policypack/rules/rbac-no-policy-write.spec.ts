import assert from "node:assert/strict";
import { rbacNoPolicyWrite as rule } from "../../../policypack/rules/rbac-no-policy-write";
import {
  findingsOf,
  messagesOf,
  resource,
  runRule,
  unknown,
  type WireResource,
} from "../../helpers/run-rule";

const group = "rbac.authorization.k8s.io";
const role = (rules: unknown, suffix = "", version = "v1"): WireResource =>
  resource(`kubernetes:${group}/${version}:Role${suffix}`, {
    metadata: { name: "r", namespace: "team" },
    rules,
  });
const clusterRole = (rules: unknown, more: object = {}): WireResource =>
  resource(`kubernetes:${group}/v1:ClusterRole`, { metadata: { name: "r" }, rules, ...more });
const grants = (apiGroups: unknown, resources: unknown, verbs: unknown, more: object = {}): unknown[] => [
  { apiGroups, resources, verbs, ...more },
];
const binding = (roleRef: unknown, subjects: unknown, kind = "RoleBinding"): WireResource =>
  resource(`kubernetes:${group}/v1:${kind}`, {
    metadata: { name: "b", namespace: "team" },
    roleRef,
    subjects,
  });
const ref = (name: unknown, kind: unknown = "ClusterRole"): unknown => ({ apiGroup: group, kind, name });
const workload = { kind: "ServiceAccount", namespace: "team", name: "web" };

describe("rbac-no-policy-write", () => {
  it("accepts rights to read, and rights to write what does not shut the network", async () => {
    for (const harmless of [
      grants(
        ["networking.k8s.io", ""],
        ["networkpolicies", "namespaces", "endpoints"],
        ["get", "list", "watch"],
      ),
      grants(["networking.k8s.io"], ["ingresses", "networkpolicies/status"], ["*"]),
      grants(["*"], ["*"], ["get", "list", "watch"]),
      grants(["*"], ["configmaps", "pods"], ["*"]),
      grants(["apps"], ["*"], ["*"]),
      grants([""], ["namespaces"], ["delete"]),
      grants([""], ["*/scale"], ["update"]),
      grants([group], ["roles", "rolebindings"], ["create", "update", "patch", "delete"]),
      grants(["cilium.io"], ["ciliumendpoints", "ciliumidentities"], ["get", "list", "watch"]),
      [{ nonResourceURLs: ["*"], verbs: ["*"] }],
      [],
      undefined,
    ]) {
      assert.deepEqual(await findingsOf(rule, clusterRole(harmless)), []);
      assert.deepEqual(await findingsOf(rule, role(harmless)), []);
    }
  });

  it("blocks rights to write policies, with what they are good for", async () => {
    assert.deepEqual(
      await messagesOf(rule, role(grants(["networking.k8s.io"], ["networkpolicies"], ["get", "patch"]))),
      [
        [
          "Role team/r: rules[0] grants patch on networkpolicies.networking.k8s.io.",
          "Why it is dangerous: whoever has it opens the network to itself: adds a policy that allows everything, or takes away default-deny.",
          "Write instead: apiGroups, resources and verbs by name, without *, and get, list and watch only for what the network is shut with. For a controller whose task it is, an entry with the reason under this rule's allow.",
          "See docs/rules.md#rbac-no-policy-write",
        ].join("\n"),
      ],
    );
    const cases: [string, string, string][] = [
      ["extensions", "networkpolicies", "Role"],
      ["policy.networking.k8s.io", "clusternetworkpolicies", "ClusterRole"],
      ["policy.networking.k8s.io", "adminnetworkpolicies", "ClusterRole"],
      ["networking.k8s.aws", "applicationnetworkpolicies", "Role"],
      ["projectcalico.org", "tier.networkpolicies", "Role"],
      ["crd.projectcalico.org", "globalnetworkpolicies", "ClusterRole"],
      ["cilium.io", "ciliumnetworkpolicies", "Role"],
      ["cilium.io", "ciliumclusterwidenetworkpolicies", "ClusterRole"],
      ["cilium.io", "ciliumendpoints", "Role"],
      ["cilium.io", "ciliumidentities", "ClusterRole"],
      ["networking.gke.io", "fqdnnetworkpolicies", "Role"],
      ["networking.k8s.aws", "policyendpoints", "Role"],
      ["crd.antrea.io", "clusternetworkpolicies", "ClusterRole"],
      ["security.istio.io", "peerauthentications", "Role"],
      ["policy.linkerd.io", "servers", "Role"],
    ];
    for (const [apiGroup, kind, of] of cases) {
      const rules = grants([apiGroup], [kind], ["delete"]);
      const found = [`ClusterRole r: rules[0] grants delete on ${kind}.${apiGroup}.`];
      assert.deepEqual(await findingsOf(rule, clusterRole(rules)), found);
      const inNamespace =
        of === "Role" ? [`Role team/r: rules[0] grants delete on ${kind}.${apiGroup}.`] : [];
      assert.deepEqual(await findingsOf(rule, role(rules)), inNamespace);
    }
  });

  it("blocks rights to change namespaces, also by the ways around the namespace itself", async () => {
    assert.deepEqual(
      await findingsOf(rule, clusterRole(grants([""], ["namespaces"], ["create", "patch", "delete"]))),
      ["ClusterRole r: rules[0] grants create, patch on namespaces."],
    );
    const rules = [
      ...grants([""], ["namespaces"], ["create", "update"]),
      ...grants([""], ["namespaces/status"], ["patch"]),
      ...grants([""], ["*/finalize"], ["update"]),
    ];
    assert.deepEqual(await findingsOf(rule, role(rules)), [
      "Role team/r: rules[0] grants update on namespaces.",
      "Role team/r: rules[1] grants patch on namespaces/status.",
      "Role team/r: rules[2] grants update on namespaces/finalize.",
    ]);
  });

  it("blocks rights to write Endpoints, and to take any right", async () => {
    const rules = [
      ...grants([""], ["endpoints"], ["create", "delete"]),
      ...grants(["discovery.k8s.io"], ["endpointslices"], ["update"]),
      ...grants([group], ["clusterroles"], ["bind"]),
      ...grants([group], ["roles"], ["*"]),
      ...grants([""], ["serviceaccounts"], ["*"]),
      ...grants([""], ["users", "groups"], ["impersonate"]),
    ];
    assert.deepEqual(await findingsOf(rule, clusterRole(rules)), [
      "ClusterRole r: rules[0] grants create on endpoints.",
      "ClusterRole r: rules[1] grants update on endpointslices.discovery.k8s.io.",
      "ClusterRole r: rules[2] grants bind on clusterroles.rbac.authorization.k8s.io.",
      "ClusterRole r: rules[3] grants escalate, bind on roles.rbac.authorization.k8s.io.",
      "ClusterRole r: rules[4] grants impersonate on serviceaccounts.",
      "ClusterRole r: rules[5] grants impersonate on users, groups.",
    ]);
    assert.equal((await findingsOf(rule, role(rules))).length, 5, "users and groups are in no namespace");
  });

  it("reads wildcards, and says what they include", async () => {
    const [message] = await messagesOf(rule, clusterRole(grants(["*"], ["*"], ["*"])));
    assert.deepEqual(message?.split("\n").slice(0, 2), [
      "ClusterRole r: rules[0] grants create, update, patch, delete, deletecollection on networkpolicies.networking.k8s.io, networkpolicies.extensions and 43 more; create, update, patch on namespaces, namespaces/status, namespaces/finalize; create, update, patch on endpoints, endpointslices.discovery.k8s.io; escalate, bind, impersonate on roles.rbac.authorization.k8s.io, clusterroles.rbac.authorization.k8s.io and 3 more.",
      "Why it is dangerous: whoever has it opens the network to itself: adds a policy that allows everything, or takes away default-deny; sets a namespace's labels: those that Pod Security and the mesh go by, and by which policies elsewhere let it in; decides where a Service's clients are sent, those that may talk to more than it does included (CVE-2021-25740); gives itself, or takes from others, any right, that of writing policies included.",
    ]);
    assert.deepEqual(await findingsOf(rule, role(grants(["networking.k8s.io"], ["*"], ["create"]))), [
      "Role team/r: rules[0] grants create on networkpolicies.networking.k8s.io.",
    ]);
    assert.deepEqual(await findingsOf(rule, role(grants(["*"], ["networkpolicies"], ["update"]))), [
      "Role team/r: rules[0] grants update on networkpolicies.networking.k8s.io, networkpolicies.extensions and 3 more.",
    ]);
  });

  it("knows what resourceNames leave of a right", async () => {
    const named = { resourceNames: ["a"] };
    const netpols = ["networkpolicies"];
    assert.deepEqual(
      await findingsOf(rule, role(grants(["networking.k8s.io"], netpols, ["create"], named))),
      [],
    );
    assert.deepEqual(await findingsOf(rule, role(grants(["networking.k8s.io"], netpols, ["*"], named))), [
      "Role team/r: rules[0] grants update, patch, delete on networkpolicies.networking.k8s.io.",
    ]);
    const bind = (names: unknown): WireResource =>
      clusterRole(grants([group], ["clusterroles"], ["bind"], { resourceNames: names }));
    assert.deepEqual(await findingsOf(rule, bind(["view", "team-viewer"])), []);
    assert.equal((await findingsOf(rule, bind(["view", "edit"]))).length, 1);
    assert.equal((await findingsOf(rule, bind([]))).length, 1);
    assert.deepEqual(await findingsOf(rule, bind(["view", unknown])), [
      "ClusterRole r cannot be verified: rules[0] has apiGroups, resources, verbs or resourceNames that are not known in the preview.",
    ]);
    const escalate = grants([group], ["roles"], ["escalate"], named);
    assert.equal((await findingsOf(rule, role(escalate))).length, 1);
  });

  it("blocks an aggregated role that takes in the cluster's own ones", async () => {
    const aggregated = (...clusterRoleSelectors: unknown[]): WireResource =>
      clusterRole([], { aggregationRule: { clusterRoleSelectors } });
    const label = `${group}/aggregate-to-edit`;
    assert.deepEqual(await messagesOf(rule, aggregated({ matchLabels: { [label]: "true" } })), [
      [
        "ClusterRole r: aggregationRule.clusterRoleSelectors[0] takes in the cluster's own system:aggregate-to-edit.",
        "Why it is dangerous: with it comes the right to write NetworkPolicies. Whoever takes over the workload opens the network to itself.",
        "Write instead: a label of your own, on ClusterRoles that name what they grant. For a controller whose task it is, an entry with the reason under this rule's allow.",
        "See docs/rules.md#rbac-no-policy-write",
      ].join("\n"),
    ]);
    assert.deepEqual(
      await findingsOf(
        rule,
        aggregated(
          { matchLabels: { "team.example/aggregate": "true" } },
          {
            matchExpressions: [{ key: `${group}/aggregate-to-view`, operator: "Exists" }],
          },
        ),
      ),
      [],
    );
    assert.deepEqual(
      await findingsOf(rule, aggregated({ matchExpressions: [{ key: label, operator: "Exists" }] }, {})),
      [
        "ClusterRole r: aggregationRule.clusterRoleSelectors[0] takes in the cluster's own system:aggregate-to-edit.",
        "ClusterRole r: aggregationRule.clusterRoleSelectors[1] takes in the cluster's own cluster-admin, admin, edit, system:aggregate-to-edit and 6 more.",
      ],
    );
    assert.deepEqual(await findingsOf(rule, aggregated({ matchLabels: { [label]: unknown } })), [
      `ClusterRole r cannot be verified: aggregationRule.clusterRoleSelectors[0] has a part that cannot be read: matchLabels["${label}"] is not known in the preview.`,
    ]);
    assert.deepEqual(await findingsOf(rule, aggregated(unknown)), [
      "ClusterRole r cannot be verified: aggregationRule.clusterRoleSelectors[0] is not known in the preview.",
    ]);
    assert.deepEqual(await findingsOf(rule, clusterRole([], { aggregationRule: unknown })), [
      "ClusterRole r cannot be verified: aggregationRule is not known in the preview.",
    ]);
  });

  it("judges a role that is aggregated to others by what it grants", async () => {
    const rules = grants(["cilium.io"], ["ciliumnetworkpolicies"], ["*"]);
    const labels = { [`${group}/aggregate-to-view`]: "true" };
    assert.equal((await findingsOf(rule, clusterRole(rules, { metadata: { name: "r", labels } }))).length, 1);
  });

  it("blocks the cluster's own roles for workloads, and leaves them to people", async () => {
    assert.deepEqual(
      await messagesOf(rule, binding(ref("edit"), [{ kind: "User", name: "ann" }, workload])),
      [
        [
          'RoleBinding team/b: roleRef.name is "edit", for ServiceAccount team/web.',
          "Why it is dangerous: with it comes the right to write NetworkPolicies. Whoever takes over the workload opens the network to itself.",
          "Write instead: a Role of its own, with the verbs and resources that it needs. For a controller whose task it is, an entry with the reason under this rule's allow.",
          "See docs/rules.md#rbac-no-policy-write",
        ].join("\n"),
      ],
    );
    const everybody = [
      { kind: "Group", name: "system:serviceaccounts:team" },
      { kind: "Group", name: "system:authenticated" },
      { kind: "User", name: "system:serviceaccount:team:web" },
    ];
    assert.deepEqual(await findingsOf(rule, binding(ref("cluster-admin"), everybody, "ClusterRoleBinding")), [
      'ClusterRoleBinding b: roleRef.name is "cluster-admin", for Group system:serviceaccounts:team, Group system:authenticated, User system:serviceaccount:team:web.',
    ]);
    const ofController = (name: string) =>
      messagesOf(rule, binding(ref(`system:controller:${name}`), [workload]));
    assert.deepEqual(
      (await ofController("endpointslice-controller")).map((message) => message.split("\n").slice(0, 2)),
      [
        [
          'RoleBinding team/b: roleRef.name is "system:controller:endpointslice-controller", for ServiceAccount team/web.',
          "Why it is dangerous: whoever takes over the workload decides where a Service's clients are sent, those that may talk to more than it does included (CVE-2021-25740).",
        ],
      ],
    );
    assert.equal((await ofController("clusterrole-aggregation-controller")).length, 1);
    assert.equal((await ofController("job-controller")).length, 0);
    const people = [
      { kind: "Group", name: "platform-team" },
      { kind: "User", name: "ann" },
    ];
    for (const harmless of [
      binding(ref("cluster-admin"), people),
      binding(ref("view"), [workload]),
      binding(ref("view", unknown), [workload]),
      binding(ref("edit", "Role"), [workload]),
      binding(ref("admin"), []),
      binding(ref("admin"), undefined),
      binding(ref("view"), unknown),
    ])
      assert.deepEqual(await findingsOf(rule, harmless), []);
  });

  it("lets be what is allowed, by kind, namespace and name", async () => {
    const allow = [
      { kind: "ClusterRole", name: "r", reason: "the network plugin's operator" },
      { kind: "RoleBinding", namespace: "team", name: "b", reason: "deploys itself" },
      { kind: "ClusterRole", name: "system:controller:x", reason: "of the distribution" },
    ];
    const everything = grants(["*"], ["*"], ["*"]);
    assert.deepEqual(await findingsOf(rule, clusterRole(everything), { allow }), []);
    assert.deepEqual(await findingsOf(rule, clusterRole(unknown), { allow }), []);
    assert.deepEqual(await findingsOf(rule, binding(ref("edit"), [workload]), { allow }), []);
    assert.equal((await findingsOf(rule, role(everything), { allow })).length, 1);
    await assert.rejects(
      runRule(rule, role([]), { allow: [{ kind: "Role", namespace: "team", name: "a/b", reason: "x" }] }),
      /refuses/,
    );
  });

  it("tells what is not known from what is wrong", async () => {
    const partly =
      "Role team/r cannot be verified: rules[0] has apiGroups, resources, verbs or resourceNames that are not known in the preview.";
    const netpols = ["networkpolicies"];
    const cases: [WireResource, string][] = [
      [role(unknown), "Role team/r cannot be verified: rules is not known in the preview."],
      [role([unknown]), "Role team/r cannot be verified: rules[0] is not known in the preview."],
      [role(grants(unknown, netpols, ["patch"])), partly],
      [role(grants(["networking.k8s.io"], [unknown], ["patch"])), partly],
      [role(grants(["networking.k8s.io"], netpols, ["get", unknown])), partly],
      [role(grants(["networking.k8s.io"], netpols, "*")), partly],
      [role(grants(["networking.k8s.io"], netpols, ["create"], { resourceNames: unknown })), partly],
      [
        binding(ref(unknown), [workload]),
        "RoleBinding team/b cannot be verified: roleRef.name is not known, for ServiceAccount team/web.",
      ],
      [
        binding(unknown, [workload]),
        "RoleBinding team/b cannot be verified: roleRef.name is not known, for ServiceAccount team/web.",
      ],
      [
        binding(ref("edit"), unknown),
        "RoleBinding team/b cannot be verified: subjects is not known in the preview.",
      ],
      [
        binding(ref("edit"), [{ kind: "Group", name: unknown }]),
        "RoleBinding team/b cannot be verified: subjects[0] has a kind or name that is not known in the preview.",
      ],
      [
        binding(ref("edit"), [{ ...workload, name: unknown }]),
        'RoleBinding team/b: roleRef.name is "edit", for ServiceAccount team/(not known).',
      ],
    ];
    for (const [object, found] of cases) assert.deepEqual(await findingsOf(rule, object), [found]);
    assert.deepEqual(await findingsOf(rule, role(grants([unknown], ["pods"], ["patch"]))), []);
    assert.deepEqual(
      await findingsOf(
        rule,
        role(grants(["networking.k8s.io"], netpols, ["patch"], { resourceNames: unknown })),
      ),
      ["Role team/r: rules[0] grants patch on networkpolicies.networking.k8s.io."],
    );
  });

  it("judges what a patch carries, every version, and the items of a List", async () => {
    const rules = grants(["networking.k8s.io"], ["networkpolicies"], ["update"]);
    const found = "Role team/r: rules[0] grants update on networkpolicies.networking.k8s.io.";
    assert.deepEqual(await findingsOf(rule, role(rules, "Patch")), [found.replace("Role ", "RolePatch ")]);
    assert.deepEqual(await findingsOf(rule, role(undefined, "Patch")), []);
    assert.deepEqual(await findingsOf(rule, binding(undefined, [workload], "RoleBindingPatch")), [
      "RoleBindingPatch team/b cannot be verified: roleRef.name is not part of this patch, so the live binding decides what there is for ServiceAccount team/web.",
    ]);
    for (const version of ["v1beta1", "v1alpha1"])
      assert.deepEqual(await findingsOf(rule, role(rules, "", version)), [found]);
    const list = resource(`kubernetes:${group}/v1:RoleList`, {
      items: [{ metadata: { name: "r", namespace: "team" }, rules }],
    });
    assert.deepEqual(await findingsOf(rule, list), [found.replace("rules[0]", "items[0].rules[0]")]);
  });

  it("counts callers without a name among workloads, and people who are called alike not", async () => {
    const anonymous = { kind: "User", name: "system:anonymous" };
    assert.deepEqual(await findingsOf(rule, binding(ref("edit"), [anonymous])), [
      'RoleBinding team/b: roleRef.name is "edit", for User system:anonymous.',
    ]);
    const others = [
      { kind: "Group", name: "system:anonymous" },
      { kind: "Team", name: "system:serviceaccount:team:web" },
    ];
    assert.deepEqual(await findingsOf(rule, binding(ref("edit"), others)), []);
  });

  it("tells a patch whose role is not known from one that has none", async () => {
    const patch = (roleRef: unknown): WireResource => ({
      ...binding(roleRef, [workload]),
      type: `kubernetes:${group}/v1:RoleBindingPatch`,
    });
    assert.deepEqual(await findingsOf(rule, patch(unknown)), [
      "RoleBindingPatch team/b cannot be verified: roleRef.name is not known, for ServiceAccount team/web.",
    ]);
    assert.deepEqual(await findingsOf(rule, binding(undefined, [workload])), [
      "RoleBinding team/b cannot be verified: roleRef.name is not known, for ServiceAccount team/web.",
    ]);
  });
});
