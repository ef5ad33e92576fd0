import hashlib
import io
import tarfile

import pytest

from e2e.cluster import releases
from e2e.cluster.errors import ToolError
from e2e.cluster.releases import Release, download, published_checksum, release_of, verify
from e2e.cluster.toolsets import HELM, KIND, KUBERNETES, KWOK, TOOLSETS, Platform

LINUX = Platform("linux", "amd64")
MAC = Platform("darwin", "arm64")


def archive(member: str, content: bytes) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as writer:
        entry = tarfile.TarInfo(member)
        entry.size = len(content)
        writer.addfile(entry, io.BytesIO(content))
    return packed.getvalue()


def served(monkeypatch, files: dict[str, bytes]) -> None:
    def fetch(url: str, seconds: float) -> bytes:
        if url not in files:
            raise TimeoutError(f"{url}: no answer in {seconds} s")
        return files[url]

    monkeypatch.setattr(releases, "_fetch", fetch)


@pytest.mark.parametrize("toolset", TOOLSETS, ids=lambda toolset: toolset.name)
def test_all_addresses_are_https_and_bear_the_version(toolset):
    """Nothing is asked for over a line that anyone can rewrite."""
    offered = [release_of(tool, "v9.8.7", LINUX) for tool in toolset.tools]
    for release in filter(None, offered):
        assert release.url.startswith("https://")
        assert "v9.8.7" in release.url
        assert release.checksum_url.rpartition("/")[0] == release.url.rpartition("/")[0]


def test_kwok_is_not_downloaded():
    """It publishes no checksums, and nothing unverified is run."""
    assert [release_of(tool, "v0.8.0", LINUX) for tool in KWOK.tools] == [None, None]


def test_only_clients_are_released_for_a_mac():
    """The control plane is released for Linux alone; elsewhere it is built."""
    offered = {tool.name for tool in KUBERNETES.tools if release_of(tool, "v1.0.0", MAC)}
    assert offered == {"kubectl"}
    assert release_of(KIND.tools[0], "v1.0.0", MAC)


@pytest.mark.parametrize("listing", ["abc\n", "abc  tool.tar.gz\n", "xyz  other\nabc *tool.tar.gz\n"])
def test_a_checksum_is_found_in_every_published_form(listing):
    """One bare checksum, one line, or a list for all files of a release."""
    assert published_checksum(listing, "tool.tar.gz") == "abc"


def test_a_checksum_of_another_file_does_not_count():
    """A list without the file is no proof."""
    with pytest.raises(ToolError, match="no checksum"):
        published_checksum("abc  other\n", "tool.tar.gz")


@pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
def test_content_is_held_against_its_checksum(algorithm):
    """The right content passes, any other does not."""
    checksum = hashlib.new(algorithm, b"right").hexdigest()
    verify(b"right", checksum, "here")
    with pytest.raises(ToolError, match="published checksum"):
        verify(b"wrong", checksum, "here")


@pytest.mark.parametrize("checksum", ["", "abc", "0" * 40])
def test_a_weak_or_empty_checksum_proves_nothing(checksum):
    """Only SHA-256 and SHA-512 count."""
    with pytest.raises(ToolError):
        verify(b"", checksum, "here")


def test_a_verified_archive_is_unpacked(tmp_path, monkeypatch):
    """The program of the archive is kept, executable."""
    release = release_of(HELM.tools[0], "v4.0.0", LINUX)
    assert release is not None
    content = archive("linux-amd64/helm", b"program")
    listing = f"{hashlib.sha256(content).hexdigest()}  {release.file}\n".encode()
    served(monkeypatch, {release.url: content, release.checksum_url: listing})
    download(release, tmp_path / "helm")
    assert (tmp_path / "helm").read_bytes() == b"program"
    assert (tmp_path / "helm").stat().st_mode & 0o111


def test_nothing_is_kept_of_a_forged_download(tmp_path, monkeypatch):
    """A wrong checksum leaves no file that could be run."""
    release = Release("https://example.com/tool", "https://example.com/tool.sha256")
    served(monkeypatch, {release.url: b"forged", release.checksum_url: b"0" * 64})
    with pytest.raises(ToolError):
        download(release, tmp_path / "tool")
    assert not list(tmp_path.iterdir())


def test_an_unreachable_site_is_a_plain_refusal(tmp_path, monkeypatch):
    """The caller goes on to build; the network's words are kept."""
    served(monkeypatch, {})
    with pytest.raises(ToolError, match="no answer"):
        download(Release("https://example.com/tool", "https://example.com/tool.sha256"), tmp_path / "tool")
