/** Messages as an upstream 1.12 master, agent and executor wrote them, byte for byte. */
export const recordedMessages: readonly {
  readonly from: string;
  readonly to: string;
  readonly name: string;
  readonly bytes: Uint8Array;
}[] = [
  {
    from: 'slave(1)@127.0.0.1:28061',
    to: 'master@127.0.0.1:28060',
    name: 'mesos.internal.RegisterSlaveMessage',
    bytes: Buffer.from(
      'UE9TVCAvbWFzdGVyL21lc29zLmludGVybmFsLlJlZ2lzdGVyU2xhdmVNZXNzYWdlIEhUVFAvMS4xDQpVc2VyLUFnZW50OiBsaWJwcm9jZXNzL3NsYXZlKDEpQDEyNy4wLjAuMToyODA2MQ0KTGlicHJvY2Vzcy1Gcm9tOiBzbGF2ZSgxKUAxMjcuMC4wLjE6MjgwNjENCkNvbm5lY3Rpb246IEtlZXAtQWxpdmUNCkhvc3Q6IDEyNy4wLjAuMToyODA2MA0KVHJhbnNmZXItRW5jb2Rpbmc6IGNodW5rZWQNCg0KYjANCgpyCgkxMjcuMC4wLjEaFgoEY3B1cxAAGgkJAAAAAAAAEEAyASoaFQoDbWVtEAAaCQkAAAAAAACwQDIBKhoWCgRkaXNrEAAaCQkAAAAAAADAQDIBKhoYCgVwb3J0cxABIgoKCAiY8gEQgPoBMgEqOAFAndsBEgYxLjEyLjAiAggBIgIIAiICCAMiAggEIgIIBSICCAYiAggHIgIICCoSChDWQFzGAwxLK6m/IHwNz5JUDQowDQoNCg==',
      'base64',
    ),
  },
  {
    from: 'slave-observer(1)@127.0.0.1:28060',
    to: 'slave(1)@127.0.0.1:28061',
    name: 'mesos.internal.PingSlaveMessage',
    bytes: Buffer.from(
      'UE9TVCAvc2xhdmUoMSkvbWVzb3MuaW50ZXJuYWwuUGluZ1NsYXZlTWVzc2FnZSBIVFRQLzEuMQ0KVXNlci1BZ2VudDogbGlicHJvY2Vzcy9zbGF2ZS1vYnNlcnZlcigxKUAxMjcuMC4wLjE6MjgwNjANCkxpYnByb2Nlc3MtRnJvbTogc2xhdmUtb2JzZXJ2ZXIoMSlAMTI3LjAuMC4xOjI4MDYwDQpDb25uZWN0aW9uOiBLZWVwLUFsaXZlDQpIb3N0OiAxMjcuMC4wLjE6MjgwNjENClRyYW5zZmVyLUVuY29kaW5nOiBjaHVua2VkDQoNCjINCggBDQowDQoNCg==',
      'base64',
    ),
  },
  {
    from: 'slave(1)@127.0.0.1:28061',
    to: 'slave-observer(1)@127.0.0.1:28060',
    name: 'mesos.internal.PongSlaveMessage',
    bytes: Buffer.from(
      'UE9TVCAvc2xhdmUtb2JzZXJ2ZXIoMSkvbWVzb3MuaW50ZXJuYWwuUG9uZ1NsYXZlTWVzc2FnZSBIVFRQLzEuMQ0KVXNlci1BZ2VudDogbGlicHJvY2Vzcy9zbGF2ZSgxKUAxMjcuMC4wLjE6MjgwNjENCkxpYnByb2Nlc3MtRnJvbTogc2xhdmUoMSlAMTI3LjAuMC4xOjI4MDYxDQpDb25uZWN0aW9uOiBLZWVwLUFsaXZlDQpIb3N0OiAxMjcuMC4wLjE6MjgwNjANCg0K',
      'base64',
    ),
  },
  {
    from: 'executor(1)@127.0.0.1:38433',
    to: 'slave(1)@127.0.0.1:28061',
    name: 'mesos.internal.RegisterExecutorMessage',
    bytes: Buffer.from(
      'UE9TVCAvc2xhdmUoMSkvbWVzb3MuaW50ZXJuYWwuUmVnaXN0ZXJFeGVjdXRvck1lc3NhZ2UgSFRUUC8xLjENClVzZXItQWdlbnQ6IGxpYnByb2Nlc3MvZXhlY3V0b3IoMSlAMTI3LjAuMC4xOjM4NDMzDQpMaWJwcm9jZXNzLUZyb206IGV4ZWN1dG9yKDEpQDEyNy4wLjAuMTozODQzMw0KQ29ubmVjdGlvbjogS2VlcC1BbGl2ZQ0KSG9zdDogMTI3LjAuMC4xOjI4MDYxDQpUcmFuc2Zlci1FbmNvZGluZzogY2h1bmtlZA0KDQozMg0KCisKKWFlYjFmMGY3LTFmM2QtNGM2OC05NTM3LTZiYzVjZDkxN2JhMS0wMDAwEgMKATANCjANCg0K',
      'base64',
    ),
  },
];
