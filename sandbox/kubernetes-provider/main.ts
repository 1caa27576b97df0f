/*
 * The plugin process: Pulumi's engine starts it under the name pulumi-resource-kubernetes with its own address as the
 * argument, reads the port from the first line of stdout, and speaks the resource provider protocol with it.
 */
import * as grpc from "@grpc/grpc-js";
import { EngineClient } from "@pulumi/pulumi/proto/engine_grpc_pb";
import { LogRequest, LogSeverity } from "@pulumi/pulumi/proto/engine_pb";
import { ResourceProviderService } from "@pulumi/pulumi/proto/provider_grpc_pb";
import { KubernetesProvider } from "./provider";
import { providerService } from "./provider-service";

const unlimited = { "grpc.max_receive_message_length": -1, "grpc.max_send_message_length": -1 };

let engine: EngineClient | undefined;

function connectEngine(address: string): void {
  engine = new EngineClient(address, grpc.credentials.createInsecure(), unlimited);
}

function reportStatus(urn: string, message: string): void {
  const request = new LogRequest();
  request.setSeverity(LogSeverity.INFO);
  request.setUrn(urn);
  request.setMessage(message);
  request.setEphemeral(true);
  // A status that is not shown is no reason to fail what it is about.
  engine?.log(request, () => undefined);
}

const address = process.argv.slice(2).find((argument) => !argument.startsWith("-"));
if (address !== undefined) connectEngine(address);

const server = new grpc.Server(unlimited);
server.addService(
  ResourceProviderService,
  providerService(new KubernetesProvider(reportStatus), connectEngine),
);
server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, port) => {
  if (error !== null) {
    console.error(`pulumi-resource-kubernetes: no port on 127.0.0.1 to listen on: ${error.message}`);
    process.exit(1);
  }
  console.log(String(port));
});

// An engine that was killed ends nobody: without this, its provider would serve no one for ever.
const parent = process.ppid;
setInterval(() => {
  if (process.ppid !== parent) process.exit(0);
}, 1000).unref();

// Loading the client takes longer than all the rest of the start, so it goes on while the engine connects.
void import("@kubernetes/client-node");
