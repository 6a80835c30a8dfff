# SPDX-License-Identifier: Apache-2.0
"""The messages of FunctionRpc for the tests, made from numbers with google.protobuf. Nothing of it is
shared with the adapter."""
from google.protobuf import (descriptor_pb2, descriptor_pool, duration_pb2, message_factory,
                             timestamp_pb2)

PACKAGE = "AzureFunctionsRpcMessages"

# Of each message: field, number, type; "*" for a list, "{}" for a map to it, "|" for the oneof.
MESSAGES = {
    "NullableString": "value|:1:string",
    "NullableBool": "value|:1:bool",
    "NullableDouble": "value|:1:double",
    "NullableTimestamp": "value|:1:Timestamp",
    "StartStream": "worker_id:2:string",
    "WorkerInitRequest": "host_version:1:string capabilities:2:{}string worker_directory:4:string "
                         "function_app_directory:5:string",
    "WorkerMetadata": "runtime_name:1:string runtime_version:2:string worker_version:3:string "
                      "worker_bitness:4:string custom_properties:5:{}string",
    "WorkerInitResponse": "worker_version:1:string capabilities:2:{}string result:3:StatusResult "
                          "worker_metadata:4:WorkerMetadata",
    "StatusResult": "status:4:int32 result:1:string exception:2:RpcException",
    "WorkerTerminate": "grace_period:1:Duration",
    "WorkerStatusRequest": "",
    "WorkerStatusResponse": "",
    "FileChangeEventRequest": "full_path:2:string name:3:string",
    "FunctionEnvironmentReloadRequest": "environment_variables:1:{}string "
                                        "function_app_directory:2:string",
    "FunctionEnvironmentReloadResponse": "worker_metadata:1:WorkerMetadata capabilities:2:{}string "
                                         "result:3:StatusResult "
                                         "capabilities_update_strategy:4:int32",
    "FunctionLoadRequest": "function_id:1:string metadata:2:RpcFunctionMetadata "
                           "managed_dependency_enabled:3:bool",
    "FunctionLoadResponse": "function_id:1:string result:2:StatusResult "
                            "is_dependency_downloaded:3:bool",
    "BindingInfo": "type:2:string direction:3:int32 data_type:4:int32 properties:5:{}string",
    "RpcRetryOptions": "max_retry_count:2:int32 delay_interval:3:Duration "
                       "minimum_interval:4:Duration maximum_interval:5:Duration "
                       "retry_strategy:6:int32",
    "RpcFunctionMetadata": "name:4:string directory:1:string script_file:2:string "
                           "entry_point:3:string bindings:6:{}BindingInfo is_proxy:7:bool "
                           "language:9:string raw_bindings:10:*string function_id:13:string "
                           "retry_options:15:RpcRetryOptions properties:16:{}string",
    "FunctionsMetadataRequest": "function_app_directory:1:string",
    "FunctionMetadataResponse": "function_metadata_results:1:*RpcFunctionMetadata "
                                "result:2:StatusResult use_default_metadata_indexing:3:bool",
    "RpcTraceContext": "trace_parent:1:string trace_state:2:string attributes:3:{}string "
                       "baggage:4:{}string",
    "RetryContext": "retry_count:1:int32 max_retry_count:2:int32 exception:3:RpcException",
    "InvocationRequest": "invocation_id:1:string function_id:2:string "
                         "input_data:3:*ParameterBinding trigger_metadata:4:{}TypedData "
                         "trace_context:5:RpcTraceContext retry_context:6:RetryContext",
    "InvocationCancel": "invocation_id:2:string grace_period:1:Duration",
    "InvocationResponse": "invocation_id:1:string output_data:2:*ParameterBinding "
                          "return_value:4:TypedData result:3:StatusResult",
    "WorkerWarmupRequest": "worker_directory:1:string",
    "WorkerWarmupResponse": "result:1:StatusResult",
    "TypedData": "string|:1:string json|:2:string bytes|:3:bytes stream|:4:bytes http|:5:RpcHttp "
                 "int|:6:sint64 double|:7:double collection_bytes|:8:CollectionBytes "
                 "collection_string|:9:CollectionString collection_double|:10:CollectionDouble "
                 "collection_sint64|:11:CollectionSInt64 model_binding_data|:12:ModelBindingData "
                 "collection_model_binding_data|:13:CollectionModelBindingData",
    "CollectionString": "string:1:*string",
    "CollectionBytes": "bytes:1:*bytes",
    "CollectionDouble": "double:1:*double",
    "CollectionSInt64": "sint64:1:*sint64",
    "RpcSharedMemory": "name:1:string offset:2:int64 count:3:int64 type:4:int32",
    "ParameterBinding": "name:1:string data|:2:TypedData rpc_shared_memory|:3:RpcSharedMemory",
    "RpcLog": "invocation_id:1:string category:2:string level:3:int32 message:4:string "
              "event_id:5:string exception:6:RpcException properties:7:string "
              "log_category:8:int32 propertiesMap:9:{}TypedData",
    "RpcException": "source:3:string stack_trace:1:string message:2:string "
                    "is_user_exception:4:bool type:5:string",
    "RpcHttpCookie": "name:1:string value:2:string domain:3:NullableString path:4:NullableString "
                     "expires:5:NullableTimestamp secure:6:NullableBool http_only:7:NullableBool "
                     "same_site:8:int32 max_age:9:NullableDouble",
    "RpcHttp": "method:1:string url:2:string headers:3:{}string body:4:TypedData "
               "params:10:{}string status_code:12:string query:15:{}string "
               "enable_content_negotiation:16:bool rawBody:17:TypedData "
               "cookies:19:*RpcHttpCookie nullable_headers:20:{}NullableString "
               "nullable_params:21:{}NullableString nullable_query:22:{}NullableString",
    "ModelBindingData": "version:1:string source:2:string content_type:3:string content:4:bytes",
    "CollectionModelBindingData": "model_binding_data:1:*ModelBindingData",
    "StreamingMessage": "request_id:1:string start_stream|:20:StartStream "
                        "worker_init_request|:17:WorkerInitRequest "
                        "worker_init_response|:16:WorkerInitResponse "
                        "worker_terminate|:14:WorkerTerminate "
                        "worker_status_request|:12:WorkerStatusRequest "
                        "worker_status_response|:13:WorkerStatusResponse "
                        "file_change_event_request|:6:FileChangeEventRequest "
                        "function_load_request|:8:FunctionLoadRequest "
                        "function_load_response|:9:FunctionLoadResponse "
                        "invocation_request|:4:InvocationRequest "
                        "invocation_response|:5:InvocationResponse "
                        "invocation_cancel|:21:InvocationCancel rpc_log|:2:RpcLog "
                        "function_environment_reload_request|:25:FunctionEnvironmentReloadRequest "
                        "function_environment_reload_response|:26:"
                        "FunctionEnvironmentReloadResponse "
                        "functions_metadata_request|:29:FunctionsMetadataRequest "
                        "function_metadata_response|:30:FunctionMetadataResponse "
                        "worker_warmup_request|:33:WorkerWarmupRequest "
                        "worker_warmup_response|:34:WorkerWarmupResponse",
}

SCALARS = {name: getattr(descriptor_pb2.FieldDescriptorProto, "TYPE_" + name.upper())
           for name in ("string", "bytes", "bool", "int32", "int64", "sint64", "double")}
WELL_KNOWN = {"Duration": ".google.protobuf.Duration", "Timestamp": ".google.protobuf.Timestamp"}


def set_type(field, name):
    if name in SCALARS:
        field.type = SCALARS[name]
    else:
        field.type = field.TYPE_MESSAGE
        field.type_name = WELL_KNOWN.get(name, f".{PACKAGE}.{name}")


def add_map(message, field, name):
    entry = message.nested_type.add()
    entry.name = "".join(part[:1].upper() + part[1:] for part in field.name.split("_")) + "Entry"
    entry.options.map_entry = True
    for number, title, kind in ((1, "key", "string"), (2, "value", name)):
        member = entry.field.add(name=title, number=number,
                                 label=descriptor_pb2.FieldDescriptorProto.LABEL_OPTIONAL)
        set_type(member, kind)
    field.label = field.LABEL_REPEATED
    field.type = field.TYPE_MESSAGE
    field.type_name = f".{PACKAGE}.{message.name}.{entry.name}"


def add_field(message, text):
    title, number, kind = text.split(":")
    field = message.field.add(name=title.rstrip("|"), number=int(number),
                              label=descriptor_pb2.FieldDescriptorProto.LABEL_OPTIONAL)
    if title.endswith("|"):
        if not message.oneof_decl:
            message.oneof_decl.add(name="one")
        field.oneof_index = 0
    if kind.startswith("{}"):
        add_map(message, field, kind[2:])
    else:
        set_type(field, kind.lstrip("*"))
        if kind.startswith("*"):
            field.label = field.LABEL_REPEATED


def build():
    file = descriptor_pb2.FileDescriptorProto(name="isoworker_test_rpc.proto", package=PACKAGE,
                                              syntax="proto3")
    file.dependency.extend(["google/protobuf/duration.proto", "google/protobuf/timestamp.proto"])
    for name, fields in MESSAGES.items():
        message = file.message_type.add(name=name)
        for text in fields.split():
            add_field(message, text)
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(duration_pb2.DESCRIPTOR.serialized_pb)
    pool.AddSerializedFile(timestamp_pb2.DESCRIPTOR.serialized_pb)
    pool.AddSerializedFile(file.SerializeToString())
    factory = message_factory.MessageFactory(pool)
    return {name: factory.GetPrototype(pool.FindMessageTypeByName(f"{PACKAGE}.{name}"))
            for name in MESSAGES}


TYPES = build()
Message = TYPES["StreamingMessage"]
