"""Writing to registries: blobs, manifests, and lists of referrers (OCI distribution spec, "Push")."""

from __future__ import annotations

from dataclasses import replace

from cluster_forge.adapters.http.client import HttpClient
from cluster_forge.adapters.registry import answers
from cluster_forge.adapters.registry.blob_upload import CHUNK, BlobUpload
from cluster_forge.adapters.registry.endpoints import PUSH, Endpoints
from cluster_forge.adapters.registry.reader import RegistryReader, referrers_tag
from cluster_forge.foundation.errors import RegistryError
from cluster_forge.oci import manifest
from cluster_forge.oci.image import Descriptor, encode
from cluster_forge.oci.index import INDEX_TYPE
from cluster_forge.oci.manifest import Index, Manifest
from cluster_forge.oci.reference import ImageReference
from cluster_forge.ports.registry import Sent, StoredManifest, Upload


class HttpRegistryUploads:
    """`ports.registry.RegistryUploads` over HTTP; ``chunk`` is that of `BlobUpload`."""

    def __init__(self, client: HttpClient, reader: RegistryReader, *, chunk: int = CHUNK) -> None:
        self._client = client
        self._reader = reader
        self._chunk = chunk

    def send_blob(self, repository: ImageReference, upload: Upload) -> Sent:
        """Raises RegistryError, TagError, FetchError."""
        blob = BlobUpload(self._client, self._endpoints(repository.bare), upload, self._chunk)
        if blob.is_present():
            return Sent.PRESENT
        if any(origin.registry == repository.registry and blob.is_mounted(origin) for origin in upload.origins):
            return Sent.MOUNTED
        blob.send()
        return Sent.UPLOADED

    def send_manifest(self, reference: ImageReference, stored: StoredManifest) -> None:
        read = manifest.parse(stored.content, stored.media_type)
        subject = self._put(reference, stored)
        if isinstance(read, Manifest) and read.subject and not subject:
            self._list_referrer(reference, read, read.subject, stored)

    def _put(self, reference: ImageReference, stored: StoredManifest) -> str:
        """Store a manifest; the subject that the registry has noticed.

        Raises:
            RegistryError, TagError: if the registry refuses.
        """
        endpoints = self._endpoints(reference)
        url = endpoints.manifest(reference.tag or str(stored.digest))
        headers = {"Content-Type": stored.media_type}
        scope = endpoints.scope(PUSH)
        with self._client.send("PUT", url, headers=headers, body=stored.content, scope=scope) as response:
            if response.status not in (200, 201, 202):
                raise answers.writing_error(response, reference, "the manifest")
            stored_digest = response.headers.get("Docker-Content-Digest", "")
            if stored_digest.startswith("sha256:") and stored_digest != str(stored.digest):
                raise RegistryError(
                    f"{reference.address}: the registry stored {stored_digest}, and {stored.digest} was sent",
                    fix="the registry, or a proxy before it, changes manifests: use another one",
                )
            return response.headers.get("OCI-Subject", "")

    def _list_referrer(
        self, reference: ImageReference, read: Manifest, subject: Descriptor, stored: StoredManifest
    ) -> None:
        """Add a manifest to the list of its subject's referrers, where the registry does not do so."""
        listing = replace(reference, tag=referrers_tag(subject.digest), digest=None)
        listed: tuple[Descriptor, ...] = ()
        if self._reader.digest(listing) is not None:
            former = manifest.parse(self._reader.manifest(listing).content)
            if not isinstance(former, Index):
                raise RegistryError(
                    f"{listing.address}: the tag is meant for a list of referrers, and names something else",
                    fix="delete the tag in the registry",
                )
            listed = former.manifests
        if any(entry.digest == stored.digest for entry in listed):
            return
        entry = replace(stored.descriptor, artifact_type=read.kind, annotations=read.annotations)
        entries = [one.to_json() for one in (*listed, entry)]
        content = encode({"schemaVersion": 2, "mediaType": INDEX_TYPE, "manifests": entries})
        self._put(listing, StoredManifest.of(content, INDEX_TYPE))

    def _endpoints(self, reference: ImageReference) -> Endpoints:
        return Endpoints(reference, self._client.settings)
