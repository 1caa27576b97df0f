import { cidr, record, text } from "./config-field";

/** An address at which a cloud tells its machines who they are. */
export interface MetadataEndpoint {
  readonly cidr: string;
  /** How messages name it. */
  readonly service: string;
  /**
   * Whose credentials it hands out. `node`: the machine's, to any pod that asks. `pod`: the asking pod's own, so that opening it
   * by name is a decision, and opening it within a wider network an accident.
   */
  readonly credentials: string;
}

/** How an endpoint is written in the pack's configuration. */
export const metadataEndpoint = record<MetadataEndpoint>({
  allowed:
    "an object with cidr, service (its name in messages) and credentials (node: the machine's, never opened; pod: the asking pod's own, opened by naming this network and nothing more)",
  example: { cidr: "169.254.169.254/32", service: "instance metadata", credentials: "node" },
  values: {
    cidr,
    service: text({ pattern: /\S/, allowed: "the name of the service", example: "instance metadata" }),
    credentials: text({ pattern: /^(node|pod)$/, allowed: "node or pod", example: "node" }),
  },
});

const onNode = (address: string, service: string): MetadataEndpoint => ({
  cidr: address,
  service,
  credentials: "node",
});
const forPod = (address: string, service: string): MetadataEndpoint => ({
  cidr: address,
  service,
  credentials: "pod",
});

/** The metadata endpoints of the clouds, as their own documentation gives the addresses. */
export const knownEndpoints: readonly MetadataEndpoint[] = [
  onNode(
    "169.254.169.254/32",
    "instance metadata of AWS, Azure, Google Cloud, Oracle Cloud, OpenStack, DigitalOcean and most others",
  ),
  onNode("fd00:ec2::254/128", "instance metadata of AWS"),
  onNode("fd20:ce::254/128", "instance metadata of Google Cloud"),
  onNode("168.63.129.16/32", "Azure WireServer"),
  onNode("100.100.100.200/32", "instance metadata of Alibaba Cloud"),
  onNode("fd00:100::100:200/128", "instance metadata of Alibaba Cloud"),
  onNode("fd00:c1::a9fe:a9fe/128", "instance metadata of Oracle Cloud"),
  onNode("192.0.0.192/32", "instance metadata of Oracle Cloud Classic"),
  onNode("fe80::a9fe:a9fe/128", "instance metadata of OpenStack and Akamai"),
  onNode("fd00:a9fe:a9fe::1/128", "instance metadata of Akamai"),
  onNode("169.254.42.42/32", "instance metadata of Scaleway"),
  onNode("fd00:42::42/128", "instance metadata of Scaleway"),
  onNode("169.254.0.23/32", "instance metadata of Tencent Cloud"),
  onNode("169.254.170.2/32", "task metadata of Amazon ECS"),
  forPod("169.254.170.23/32", "EKS Pod Identity agent"),
  forPod("fd00:ec2::23/128", "EKS Pod Identity agent"),
  forPod("169.254.169.252/32", "GKE metadata server"),
];
